"""The admin's first page: how to connect a GPT, what needs a look, and what happened last."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.ledger.kinds import Decision
from audit.ledger.people import with_names
from audit.ledger.queries import search
from oauth_provider.clients.models import Approval, Client, Preset
from oauth_provider.clients.setup_sheet import awaits_callback
from oauth_provider.connections.models import Connection
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import AuthMode, Backend, Operation
from proxy.catalogue.needs import alternatives
from proxy.issuers.models import Issuer

SHOWN = 6
# With what needs a look above them, the page still fits a screen
REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One step to the first call of a GPT: whether it is done, and where to do it."""

    title: str
    words: str
    is_done: bool
    url: str
    button: str


@dataclass(frozen=True, slots=True)
class Look:
    """Something that waits for somebody."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Count:
    """A number and the list behind it."""

    label: str
    value: int
    url: str


def home(request: HttpRequest) -> dict[str, Any]:
    """What the page shows; nothing that this member of staff may not see."""
    clients = list(Client.objects.all()) if request.user.has_perm("oauth_provider.view_client") else []
    gpts = [client for client in clients if client.preset == Preset.GPT]
    steps = _steps(gpts) if request.user.has_perm("oauth_provider.add_client") else []
    return {
        "title": _("Start"),
        "steps": steps,
        "steps_are_done": all(step.is_done for step in steps),
        "mcp_url": f"{settings.PUBLIC_BASE_URL}/mcp" if steps else "",
        "looks": [
            *_strangers(clients),
            *_waiting_clients(clients),
            *_broken_operations(request),
            *_backends_without_issuer(request),
        ],
        "counts": _counts(request),
        "refusals": _refusals(request),
    }


def _list_of(model: str, query: str = "") -> str:
    return reverse(f"admin:{model}_changelist") + query


def _steps(clients: list[Client]) -> list[Step]:
    gpts = [client for client in clients if client.preset == Preset.GPT]
    return [*_steps_of_the_api(), *_steps_of_the_gpt(gpts)]


def _steps_of_the_api() -> list[Step]:
    has_backend = Backend.objects.filter(enabled=True).exists()
    return [
        Step(
            _("Say where your API is"),
            _("A backend is one of your services: the address the gateway calls for a GPT."),
            has_backend,
            _list_of("proxy_backend") if has_backend else reverse("admin:proxy_backend_add"),
            _("Backends") if has_backend else _("Add a backend"),
        ),
        Step(
            _("List what a GPT may do there"),
            _("An operation is one call, and the permissions a person must give for it."),
            Operation.objects.filter(enabled=True, backend__enabled=True).exists(),
            _list_of("proxy_operation"),
            _("Operations"),
        ),
    ]


def _steps_of_the_gpt(gpts: list[Client]) -> list[Step]:
    waiting = next((client for client in gpts if awaits_callback(client)), None)
    return [
        Step(
            _("Create the client"),
            _("The client is your GPT. You get a setup sheet with everything to paste into ChatGPT's editor."),
            bool(gpts),
            reverse("admin:oauth_provider_client_add") + "?preset=gpt",
            _("Create a client for a GPT"),
        ),
        Step(
            _("Bring back the callback"),
            _("After you save the GPT, its editor shows a Callback URL. Paste it into the client."),
            any(not awaits_callback(client) for client in gpts),
            waiting.get_absolute_url() if waiting else _list_of("oauth_provider_client"),
            _("Open %(name)s") % {"name": waiting.name} if waiting else _("Clients"),
        ),
        Step(
            _("Try it"),
            _("Ask the GPT something. It asks you to sign in, then to allow it; the call appears in the audit log."),
            Connection.objects.filter(client__preset=Preset.GPT).exists(),
            _list_of("oauth_provider_connection"),
            _("Connections"),
        ),
    ]


def _strangers(clients: list[Client]) -> list[Look]:
    """Programs that registered themselves, each once, however often it registered."""
    pending = [client for client in clients if client.approval == Approval.PENDING and not client.is_suspended]
    programs = {client.fingerprint or client.client_id: client for client in pending}
    if len(programs) > SHOWN:
        words = _("%(count)s programs wait for approval.") % {"count": len(programs)}
        return [Look(words, _list_of("oauth_provider_client", "?approval__exact=pending"))]
    return [
        Look(_("%(name)s waits for approval.") % {"name": client.name or client.client_id}, client.get_absolute_url())
        for client in programs.values()
    ]


def _waiting_clients(clients: list[Client]) -> list[Look]:
    waiting = [client for client in clients if awaits_callback(client) and not client.is_suspended]
    suspended = [client for client in clients if client.is_suspended]
    return [
        *(
            Look(_("%(name)s waits for its callback: nobody can sign in.") % {"name": c.name}, c.get_absolute_url())
            for c in waiting[:SHOWN]
        ),
        *(Look(_("%(name)s is suspended.") % {"name": c.name}, c.get_absolute_url()) for c in suspended[:SHOWN]),
    ]


def _broken_operations(request: HttpRequest) -> list[Look]:
    """Operations nobody can call, because a permission they need is switched off or gone."""
    if not request.user.has_perm("proxy.view_operation"):
        return []
    enabled = set(Scope.objects.filter(enabled=True).values_list("name", flat=True))
    rows = Operation.objects.filter(enabled=True, backend__enabled=True).values_list(
        "pk", "operation_id", "scopes", "any_scopes"
    )
    broken = [(pk, name) for pk, name, *lists in rows if not any(map(enabled.issuperset, alternatives(*lists)))]
    return [
        Look(
            _("Nobody can call %(name)s: a permission it needs is disabled.") % {"name": name},
            reverse("admin:proxy_operation_change", args=[pk]),
        )
        for pk, name in broken[:SHOWN]
    ]


def _backends_without_issuer(request: HttpRequest) -> list[Look]:
    """Backends whose callers sign in elsewhere, while nobody else's tokens count."""
    if not request.user.has_perm("proxy.view_backend") or Issuer.objects.filter(enabled=True).exists():
        return []
    rows = Backend.objects.filter(enabled=True, auth_mode=AuthMode.ISSUER)[:SHOWN]
    return [
        Look(
            _("Nobody can call %(name)s: no issuer is enabled.") % {"name": backend.name},
            _list_of("proxy_issuer"),
        )
        for backend in rows
    ]


def _counts(request: HttpRequest) -> list[Count]:
    found = []
    if request.user.has_perm("oauth_provider.view_connection"):
        live = Connection.objects.filter(revoked_at=None)
        new = live.filter(created_at__gte=timezone.now() - timedelta(days=1))
        found.append(Count(_("Live connections"), live.count(), _list_of("oauth_provider_connection", "?state=live")))
        found.append(Count(_("New in 24 hours"), new.count(), _list_of("oauth_provider_connection")))
    if request.user.has_perm("oauth_provider.view_client"):
        number = Client.objects.filter(suspended_at=None).count()
        found.append(Count(_("Clients"), number, _list_of("oauth_provider_client")))
    if request.user.has_perm("proxy.view_operation"):
        number = Operation.objects.filter(enabled=True, backend__enabled=True).count()
        found.append(Count(_("Operations"), number, _list_of("proxy_operation")))
    return found


def _refusals(request: HttpRequest) -> list[Any]:
    if not request.user.has_perm("audit.view_event"):
        return []
    return list(with_names(search(decision=Decision.DENY))[:REFUSALS])
