"""Issuers in the admin: whom to trust, what of their tokens says what, and whether it works."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import code, column, page_button
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import About
from proxy.catalogue.admin import CatalogueAdmin
from proxy.issuers.explain import Finding, explain
from proxy.issuers.fault_words import fault_words
from proxy.issuers.forms import CLAIM_FIELDS, IssuerForm, TokenForm
from proxy.issuers.jwks import JwksFault, PublicKeys, fetch_keys
from proxy.issuers.models import Issuer
from proxy.issuers.plans import plan_of
from proxy.issuers.save import remove_issuer, save_issuer


@admin.register(Issuer)
class IssuerAdmin(CatalogueAdmin):
    """Its tokens count at backends whose callers sign in elsewhere."""

    form = IssuerForm
    list_display = ("name", "state", "whose", "meant_for", "signed_with")
    list_filter = ("enabled",)
    search_fields = ("name", "issuer")
    search_help_text = gettext_lazy("Name or issuer.")
    nothing_yet = gettext_lazy("Only needed for backends that take tokens of another sign-in, such as Clerk or Auth0.")
    actions_detail = ("try_out",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name", "issuer", "audience", "jwks_url", "allow_private", "algorithms", "enabled", "reason",
                )
            },
        ),
        (
            gettext_lazy("Which claim says what"),
            {
                "fields": tuple(CLAIM_FIELDS),
                "description": gettext_lazy("The usual names do for most issuers. Leave a field empty to use them."),
            },
        ),
    )  # fmt: skip

    def about(self, obj: Issuer) -> About:
        """By its name."""
        return {"target": f"issuer:{obj.name}"}

    def get_fieldsets(self, request: HttpRequest, obj: Issuer | None = None) -> Any:
        """A new one needs no reason; who may only look sees the mapping as it is kept."""
        fieldsets: Any = self.fieldsets
        (title, options), (mapping, other) = fieldsets
        only_looks = obj is not None and not self.has_change_permission(request, obj)
        if obj is None or only_looks:
            options = {"fields": tuple(name for name in options["fields"] if name != "reason")}
        if only_looks:
            other = {"fields": ("claims",)}
        return (title, options), (mapping, other)

    def save_model(self, request: HttpRequest, obj: Issuer, form: Any, change: bool) -> None:
        """Kept by the verb, in the transaction of the page."""
        note = form.cleaned_data.get("reason", "")
        save_issuer(issuer=obj, actor=user_ref(request.user), fields=form.changed_names(), note=note)

    def delete_model(self, request: HttpRequest, obj: Issuer) -> None:
        """Removed by the verb."""
        remove_issuer(issuer=obj, actor=user_ref(request.user), note=self.reason_of(request))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only for those who may change it: the check calls somebody else's server."""
        found = self.look_up(request, object_id)
        if found is None or not self.may_act(request, found):
            return []
        buttons: list[Any] = super().get_actions_detail(request, object_id)
        return buttons

    @page_button(description=gettext_lazy("Check"), path="check", icon="fact_check")
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Fetch its keys now, and say of a token which check it passes."""
        issuer = self.changeable(request, object_id)
        form = TokenForm(request.POST if request.method == "POST" else None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Check the issuer %(name)s") % {"name": issuer.name},
            "opts": self.opts,
            "original": issuer,
            "form": form,
            "back": self.page_of(issuer),
        }
        if form.is_valid():
            context |= _tried(issuer, form.cleaned_data["token"])
            # What was typed is not sent back: the page would keep it
            context["form"] = TokenForm()
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, "admin/issuers/check.html", context)
        patch_cache_control(response, no_store=True, private=True)
        return response

    @column(description=gettext_lazy("issuer"), ordering="issuer")
    def whose(self, issuer: Issuer) -> SafeString:
        """Its identifier."""
        return code(issuer.issuer)

    @column(description=gettext_lazy("audience"))
    def meant_for(self, issuer: Issuer) -> SafeString:
        """Each audience."""
        return code(", ".join(issuer.audiences))

    @column(description=gettext_lazy("algorithms"))
    def signed_with(self, issuer: Issuer) -> str:
        """Names of the pinned algorithms."""
        return ", ".join(issuer.algorithms)


def _tried(issuer: Issuer, token: str) -> dict[str, Any]:
    plan = plan_of(issuer)
    try:
        keys = fetch_keys(plan)
    except JwksFault as fault:
        return {
            "fault": fault_words(fault.reason),
            "findings": explain(token, issuer=plan, keys=PublicKeys(())) if token else [],
        }
    findings: list[Finding] = explain(token, issuer=plan, keys=keys) if token else []
    unpinned = sorted({key.algorithm for key in keys.keys} - plan.algorithms)
    return {"keys": keys.keys, "unpinned": unpinned, "findings": findings}
