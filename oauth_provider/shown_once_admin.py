"""Admin pages of credentials that staff make: shown once when made, ended for good, never edited."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_cache_control

from oauth_provider.recorded_admin import About, EndingAdmin
from oauth_provider.shown_once import keep, take


class ShownOnceAdmin(EndingAdmin):
    """What is shared by them: a subclass says what is asked for a new one, and makes it."""

    granted = ("view", "add", "change")
    # The fields of a new one
    asked: ClassVar[tuple[str, ...]] = ()
    # What stands before its number in the ledger
    named = ""
    # The last part of the address of the page that shows it, and that page's template
    shown_at = "token"
    shown_template = ""

    def make(self, request: HttpRequest, values: dict[str, Any]) -> tuple[Any, str]:
        """Make it by the verb, which also records it: the row and the secret."""
        raise NotImplementedError

    def about(self, obj: Any) -> About:
        """By its number, as the verbs do."""
        return {"target": f"{self.named}:{obj.pk}"}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made here, unlike what else is only looked at."""
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The questions for a new one, and what is known of one that is made."""
        return self.readonly_fields if obj else self.asked

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything, once it is made."""
        return self.readonly_fields if obj else ()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Make it, and let its secret wait for the page that shows it."""
        made, secret = self.make(request, form.cleaned_data)
        keep(request, name=self.about(made)["target"], secret=secret)
        return made

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is left to save."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The verb has recorded it."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the page that shows it this once."""
        return HttpResponseRedirect(reverse(f"admin:{self._url_name}", args=[obj.pk]))

    def get_urls(self) -> list[URLPattern]:
        """The page that shows a new one, beside the pages of the buttons."""
        view = self.admin_site.admin_view(self.shown)
        return [path(f"<path:object_id>/{self.shown_at}/", view, name=self._url_name), *super().get_urls()]

    def shown(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The secret that was just made, this once.

        Raises:
            Http404: there is no such row.
            PermissionDenied: this member of staff makes none.
        """
        made = self.look_up(request, object_id)
        if made is None:
            raise Http404
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": self.opts.verbose_name,
            "opts": self.opts,
            "original": made,
            "value": take(request, name=self.about(made)["target"]),
            "back": self.page_of(made),
        }
        response = TemplateResponse(request, self.shown_template, context)
        patch_cache_control(response, no_store=True, private=True)
        return response

    @property
    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{self.shown_at}"
