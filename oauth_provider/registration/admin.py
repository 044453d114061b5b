"""The registration policy, the list of programs and invitations in the admin."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant

from oauth_provider.admin_skin import chip, code, column, page_button
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, act_with_reason
from oauth_provider.recorded_admin import About, RecordedAdmin
from oauth_provider.registration.forms import InvitationForm, ListedForm, PolicyForm
from oauth_provider.registration.invitations import create_invitation, revoke_invitation
from oauth_provider.registration.models import InitialAccessToken, ListedClient, RegistrationPolicy, Verdict
from oauth_provider.registration.programs import enforce
from oauth_provider.registration.scopes import open_scopes
from oauth_provider.shown_once_admin import ShownOnceAdmin


@admin.register(RegistrationPolicy)
class RegistrationPolicyAdmin(RecordedAdmin):
    """One page: there is one policy."""

    form = PolicyForm
    revisions = ("revocation",)
    granted = ("view", "change")
    readonly_fields = ("opened",)
    fieldsets = (
        (None, {"fields": ("mode", "document_mode", "opened", "default_resource", "reason")}),
        (gettext_lazy("When they are forgotten"), {"fields": ("unused_hours", "idle_days", "max_unused")}),
    )

    def about(self, obj: RegistrationPolicy) -> About:
        """There is one."""
        return {"target": "policy:registration"}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Straight to the one there is, made of the defaults at the first look.

        Raises:
            PermissionDenied: this member of staff may not see it.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        policy, _made = RegistrationPolicy.objects.get_or_create(pk=RegistrationPolicy.SINGLETON)
        return HttpResponseRedirect(self.page_of(policy))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one."""
        return False

    @column(description=gettext_lazy("permissions they may ask for"))
    def opened(self, policy: RegistrationPolicy) -> SafeString:
        """What is open to such clients, and where that is decided."""
        names = ", ".join(open_scopes())
        words = names or _("None: whoever registers itself can do nothing.")
        link = format_html(
            '<a class="gh-link" href="{}">{}</a>',
            reverse("admin:oauth_provider_scope_changelist"),
            _("Decide per permission"),
        )
        return format_html("{} · {}", code(words) if names else chip("warn", words), link)


@admin.register(ListedClient)
class ListedClientAdmin(RecordedAdmin):
    """Programs decided about once and for all."""

    form = ListedForm
    revisions = ("revocation",)
    granted = ("view", "add", "change", "delete")
    list_display = ("value", "named_by", "says", "note", "created_at")
    list_filter = ("verdict", "named_by")
    search_fields = ("value", "note")
    search_help_text = gettext_lazy("Client id, address, fingerprint or note.")
    nothing_yet = gettext_lazy(
        "Programs that always come in at once, or never. Approve and Decline on a client's page write here too."
    )

    def about(self, obj: ListedClient) -> About:
        """By what it compares."""
        return {"target": obj.target}

    def has_delete_permission(self, request: HttpRequest, obj: ListedClient | None = None) -> bool:
        """Without its entry a program is judged by the policy again."""
        return bool(request.user.has_perm("oauth_provider.delete_listedclient"))

    def save_model(self, request: HttpRequest, obj: ListedClient, form: Any, change: bool) -> None:
        """A block stops whoever is here already."""
        super().save_model(request, obj, form, change)
        reason = form.cleaned_data.get("reason", "")
        if stopped := enforce(entry=obj, actor=user_ref(request.user), reason=reason):
            messages.warning(request, _("%(count)s clients were suspended by this.") % {"count": stopped})

    @column(description=gettext_lazy("verdict"), ordering="verdict")
    def says(self, entry: ListedClient) -> SafeString:
        """Yes or no."""
        return chip("danger" if entry.verdict == Verdict.BLOCKED else "good", entry.get_verdict_display())


@admin.register(InitialAccessToken)
class InvitationAdmin(ShownOnceAdmin):
    """Made and shown once; revoked for good."""

    form = InvitationForm
    named = "invitation"
    asked = ("name", "max_uses", "days")
    shown_template = "admin/registration/invitation.html"
    list_display = ("name", "state", "used", "hint", "expires_at")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name.")
    nothing_yet = gettext_lazy("An invitation lets one program register itself, whatever the policy says.")
    readonly_fields = ("name", "state", "used", "hint", "created_at", "expires_at")
    actions_detail = ("revoke",)

    def make(self, request: HttpRequest, values: dict[str, Any]) -> tuple[InitialAccessToken, str]:
        """In the name of whoever asks."""
        made = create_invitation(
            name=values["name"],
            max_uses=values["max_uses"],
            expires_at=timezone.now() + timedelta(days=values["days"]),
            actor=user_ref(request.user),
        )
        return made.invitation, made.value

    @page_button(description=gettext_lazy("Revoke"), path="revoke", icon="block", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse it from now on."""
        invitation = self.changeable(request, object_id)
        question = Question(
            title=_("Revoke the invitation %(name)s?") % {"name": invitation.name},
            consequences=(_("Nobody registers with it any more. Clients that did stay."),),
            button=_("Revoke"),
            done=_("The invitation %(name)s is revoked.") % {"name": invitation.name},
        )
        return act_with_reason(self, request, invitation, question, partial(revoke_invitation, invitation=invitation))

    @column(description=gettext_lazy("registrations"), ordering="uses")
    def used(self, invitation: InitialAccessToken) -> str:
        """How many of how many."""
        return f"{invitation.uses} / {invitation.max_uses}"

    @column(description=gettext_lazy("state"))
    def state(self, invitation: InitialAccessToken) -> SafeString:
        """Whether it opens the door."""
        if invitation.revoked_at:
            return chip("danger", _("Revoked"))
        return chip("good", _("Live")) if invitation.is_live else chip("warn", _("Expired or used up"))
