"""The page of a client, with what concerns those that came by themselves: where from, approved by whom, trusted how."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.enums import ActionVariant

from oauth_provider.admin_skin import Tone, ago, chip, code, column, page_button
from oauth_provider.clients.admin import ClientAdmin as AnyClientAdmin
from oauth_provider.clients.models import SELF_MADE, Approval, Client, Origin, Trust
from oauth_provider.clients.review_trust import review_trust
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, ask, ask_reason
from oauth_provider.registration.forms import TrustForm
from oauth_provider.registration.programs import approve_program, decline_program, registrations_of

TONES: dict[str, Tone] = {Approval.PENDING: "warn", Approval.DECLINED: "danger"}
# Programs offered by the filter
LISTED = 30


class ProgramFilter(admin.SimpleListFilter):
    """All registrations of one program: some register anew at every connection."""

    title = gettext_lazy("program")
    parameter_name = "program"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those that registered most often."""
        rows = Client.objects.filter(origin__in=SELF_MADE).exclude(fingerprint="").values("fingerprint", "name")
        often = rows.annotate(times=Count("pk")).order_by("-times", "name")[:LISTED]
        return [(row["fingerprint"], f"{row['name'] or row['fingerprint'][:12]} ({row['times']})") for row in often]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Client]) -> QuerySet[Client]:
        """Its registrations; a program beyond the offered ones is found by its address too."""
        return queryset.filter(fingerprint=str(self.value())) if self.value() else queryset


class ClientAdmin(AnyClientAdmin):
    """Registered through the setting APPLICATION_ADMIN_CLASS."""

    list_display = ("name", "kind", "state", "came", "people", "last_call", "identifier")
    list_filter = (*AnyClientAdmin.list_filter, "origin", "approval", ProgramFilter)
    actions_detail = (*AnyClientAdmin.actions_detail, "trust_page", "approve", "decline")
    origin_fields = ("state", "came", "registrations", "first_allowed", "says_of_itself", "reviewed")

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:
        """What it said of itself is its own to change."""
        return (*super().get_readonly_fields(request, obj), *self.origin_fields) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Client | None = None) -> Any:
        """Where it comes from, for one that nobody of the staff made."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        if obj.is_self_made:
            # Nobody of the staff has seen it before: who it is comes before what may be changed about it
            return ((_("Where it comes from"), {"fields": self.origin_fields}), *fieldsets)
        came = {"fields": ("state", "came", "reviewed")}
        return (*fieldsets[:2], (_("Where it comes from"), came), *fieldsets[2:])

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A decision is offered while there is one to take."""
        client = self.look_up(request, object_id)
        hidden = set()
        if client is None or not self.may_act(request, client):
            hidden = {"trust_page", "approve", "decline"}
        elif not client.is_self_made:
            hidden = {"approve", "decline"}
        elif client.approval != Approval.PENDING:
            hidden = {"approve" if client.approval == Approval.APPROVED else "decline"}
        return self.buttons_but(hidden, super().get_actions_detail(request, object_id))

    @page_button(description=gettext_lazy("Approve"), path="approve", icon="how_to_reg", variant=ActionVariant.PRIMARY)
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let its program in."""
        client = self.changeable(request, object_id)
        question = Question(
            title=_("Let %(name)s in?") % {"name": client.name or client.client_id},
            consequences=(
                _("People can connect it from now on, and decide for themselves what it may do."),
                _("So can every later registration that returns to the same addresses under the same name.")
                if client.origin == Origin.DYNAMIC
                else _("That holds for this address, whatever its document says later."),
                _("It stays unverified: people are told that nobody has checked it."),
            ),
            button=_("Approve"),
            is_danger=False,
        )

        def words(count: int) -> str:
            return ngettext("One registration is approved.", "%(count)s registrations are approved.", count)

        return self._decide(request, client, question, approve_program, words)

    @page_button(description=gettext_lazy("Decline"), path="decline", icon="block", variant=ActionVariant.DANGER)
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep its program out."""
        client = self.changeable(request, object_id)
        question = Question(
            title=_("Decline %(name)s?") % {"name": client.name or client.client_id},
            consequences=(
                _("Nobody can connect it. What people allowed it stops within a second."),
                _("Every later registration that returns to the same addresses under the same name is refused.")
                if client.origin == Origin.DYNAMIC
                else _("That holds for this address, whatever its document says later."),
            ),
            button=_("Decline"),
        )

        def words(count: int) -> str:
            return ngettext("One registration is declined.", "%(count)s registrations are declined.", count)

        return self._decide(request, client, question, decline_program, words)

    def _decide(
        self,
        request: HttpRequest,
        client: Client,
        question: Question,
        verb: Callable[..., int],
        words: Callable[[int], str],
    ) -> HttpResponse:
        reason = ask_reason(self, request, client, question)
        if not isinstance(reason, str):
            return reason
        count = verb(client=client, actor=user_ref(request.user), reason=reason)
        messages.success(request, words(count) % {"count": count})
        return HttpResponseRedirect(self.page_of(client))

    @page_button(description=gettext_lazy("Review trust"), path="trust", icon="verified_user")
    def trust_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Decide how well its identity is known."""
        client = self.changeable(request, object_id)
        question = Question(
            title=_("How well do we know %(name)s?") % {"name": client.name or client.client_id},
            consequences=(
                _("Verified: you know who runs it, and every address it returns to is theirs."),
                _("Proven and claimed are for clients described by a document at their own domain."),
            ),
            button=_("Save"),
            is_danger=False,
        )
        form = TrustForm(request.POST if request.method == "POST" else None, initial={"trust": client.trust})
        answered = ask(self, request, client, question, form)
        if isinstance(answered, HttpResponse):
            return answered
        trust = Trust(answered["trust"])
        review_trust(client=client, trust=trust, reviewer=request.user, reason=answered["reason"])  # type: ignore[arg-type]  # nobody else reaches this page
        messages.success(request, _("%(name)s: %(trust)s.") % {"name": client.name, "trust": trust.label})
        return HttpResponseRedirect(self.page_of(client))

    @column(description=gettext_lazy("state"))
    def state(self, client: Client) -> SafeString:
        """Whether it can work: staff must have let it in, and one nobody uses is soon forgotten."""
        if client.approval in TONES:
            return chip(TONES[client.approval], client.get_approval_display())
        if client.is_quarantined and not client.is_suspended:
            return chip("plain", _("Never used"))
        return super().state(client)

    @column(description=gettext_lazy("origin"), ordering="origin")
    def came(self, client: Client) -> str:
        """Who made it."""
        return client.get_origin_display()

    @column(description=gettext_lazy("registrations of this program"))
    def registrations(self, client: Client) -> SafeString:
        """How many there are, with the way to them."""
        query = urlencode({"program": client.fingerprint})
        address = f"{reverse('admin:oauth_provider_client_changelist')}?{query}"
        words = _("%(count)s with this fingerprint") % {"count": registrations_of(client).count()}
        return format_html('<a class="gh-link" href="{}">{}</a> {}', address, words, code(client.fingerprint))

    @column(description=gettext_lazy("first allowed something"))
    def first_allowed(self, client: Client) -> SafeString | str:
        """Until then it is in quarantine."""
        if client.first_consented_at is None:
            return _("Never: it is in quarantine, and soon forgotten.")
        return ago(client.first_consented_at)

    @column(description=gettext_lazy("says of itself"))
    def says_of_itself(self, client: Client) -> SafeString:
        """The addresses it named, as text: nobody is invited to follow them."""
        named = [client.client_uri, client.policy_uri, client.tos_uri]
        return code(" ".join(filter(None, named)) or "–")

    @column(description=gettext_lazy("trust reviewed"))
    def reviewed(self, client: Client) -> str:
        """Who decided how far it is trusted, and when."""
        if client.trust_reviewed_at is None:
            return _("Never")
        when = date_format(localtime(client.trust_reviewed_at), "DATETIME_FORMAT")
        return f"{client.trust_reviewed_by or '–'} · {when}"
