"""API keys in the admin: made and shown once, switched off for good."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from oauth_provider.admin_skin import chip, column, page_button
from oauth_provider.api_keys.create import create_api_key, revoke_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, act_with_reason
from oauth_provider.scopes.choices import ScopesField
from oauth_provider.shown_once_admin import ShownOnceAdmin


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
class ApiKeyAdmin(ShownOnceAdmin):
    """A key is never edited: another name or other permissions are another key."""

    form = ApiKeyForm
    named = "api_key"
    asked = ("name", "scopes")
    shown_template = "admin/api_keys/key.html"
    shown_at = "key"
    list_display = ("name", "permissions", "state", "created_at")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name.")
    nothing_yet = gettext_lazy("For programs that call a backend which takes a key in X-API-Key.")
    readonly_fields = ("name", "permissions", "state", "created_at", "revoked_at")
    actions_detail = ("disable",)

    def make(self, request: HttpRequest, values: dict[str, Any]) -> tuple[ApiKey, str]:
        """Under its name, which no other key has."""
        value = create_api_key(name=values["name"], scopes=values["scopes"], actor=user_ref(request.user))
        return ApiKey.objects.get(name=values["name"]), value

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
            done=_("The key %(name)s is disabled.") % {"name": key.name},
        )
        return act_with_reason(self, request, key, question, partial(revoke_api_key, api_key=key))

    @column(description=gettext_lazy("permissions"))
    def permissions(self, key: ApiKey) -> str:
        """Names of its scopes."""
        return key.scopes or _("No permission")

    @column(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> SafeString:
        """Whether it opens anything."""
        return chip("danger", _("Disabled")) if key.revoked_at else chip("good", _("Live"))
