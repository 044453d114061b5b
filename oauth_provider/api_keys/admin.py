"""API keys in the admin: made and shown once, switched off for good."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_cache_control
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from oauth_provider.admin_skin import chip, column, page_button
from oauth_provider.api_keys.create import create_api_key, revoke_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, ask_reason
from oauth_provider.recorded_admin import About, ReadOnlyAdmin
from oauth_provider.scopes.choices import ScopesField
from oauth_provider.shown_once import keep, take


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker only
    """A name and what it may do."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Who or what uses it; it appears in the audit log."),
    )
    scopes = ScopesField(
        label=gettext_lazy("Permissions"),
        required=False,
        help_text=gettext_lazy("None ticked: it opens only operations that ask for no permission."),
    )

    class Meta:
        """What the form sets."""

        model = ApiKey
        fields = ("name", "scopes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("scopes"), ScopesField):
            field.offer(())

    def clean_scopes(self) -> str:
        """As the model keeps them."""
        return " ".join(self.cleaned_data["scopes"])


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """A key is never edited: another name or other permissions are another key."""

    form = ApiKeyForm
    granted = ("view", "add", "change")
    list_display = ("name", "permissions", "state", "created_at")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name.")
    readonly_fields = ("name", "permissions", "state", "created_at", "revoked_at")
    actions_detail = ("disable",)

    def about(self, obj: ApiKey) -> About:
        """By its number, as the verbs do."""
        return {"target": f"api_key:{obj.pk}"}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Keys are made here, unlike what else is only looked at."""
        return request.user.has_perm("oauth_provider.add_apikey")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """Two questions for a new one."""
        return self.readonly_fields if obj else ("name", "scopes")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """Everything, once it is made."""
        return self.readonly_fields if obj else ()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        """Made by the verb, which also records it."""
        values = form.cleaned_data
        value = create_api_key(name=values["name"], scopes=values["scopes"], actor=user_ref(request.user))
        made = ApiKey.objects.get(name=values["name"])
        keep(request, name=f"api_key:{made.pk}", secret=value)
        return made

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Nothing is left to save."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The verb has recorded it."""

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the page that shows the key this once."""
        return HttpResponseRedirect(reverse("admin:oauth_provider_apikey_key", args=[obj.pk]))

    def get_urls(self) -> list[URLPattern]:
        """The page that shows a new key, beside the pages of the buttons."""
        view = self.admin_site.admin_view(self.key)
        return [path("<path:object_id>/key/", view, name="oauth_provider_apikey_key"), *super().get_urls()]

    def key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The key that was just made, this once.

        Raises:
            Http404: there is no such key.
            PermissionDenied: this member of staff makes no keys.
        """
        made = self.look_up(request, object_id)
        if made is None:
            raise Http404
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("API key"),
            "opts": self.opts,
            "original": made,
            "value": take(request, name=f"api_key:{made.pk}"),
            "back": self.page_of(made),
        }
        response = TemplateResponse(request, "admin/api_keys/key.html", context)
        patch_cache_control(response, no_store=True, private=True)
        return response

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what would do something."""
        found = self.look_up(request, object_id)
        if found is None or found.revoked_at or not self.may_act(request, found):
            return []
        buttons: list[Any] = super().get_actions_detail(request, object_id)
        return buttons

    @page_button(description=gettext_lazy("Disable"), path="disable", icon="block", variant=ActionVariant.DANGER)
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse the key from now on."""
        key = self.changeable(request, object_id)
        question = Question(
            title=_("Disable the key %(name)s?") % {"name": key.name},
            consequences=(
                _(
                    "Within a second every call with it is refused. "
                    "It cannot be brought back: make another one instead."
                ),
            ),
            button=_("Disable"),
            back=self.page_of(key),
        )
        reason = ask_reason(self, request, key, question)
        if not isinstance(reason, str):
            return reason
        revoke_api_key(api_key=key, actor=user_ref(request.user), reason=reason)
        messages.success(request, _("The key %(name)s is disabled.") % {"name": key.name})
        return HttpResponseRedirect(self.page_of(key))

    @column(description=gettext_lazy("permissions"))
    def permissions(self, key: ApiKey) -> str:
        """Names of its scopes."""
        return key.scopes or _("No permission")

    @column(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> SafeString:
        """Whether it opens anything."""
        return chip("danger", _("Disabled")) if key.revoked_at else chip("good", _("Live"))
