"""What a page says about one connection, gathered for any number of them in a fixed number of queries per card."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from audit.ledger.queries import last_used
from oauth_provider.connections.models import DEVICE_HOST, Connection
from oauth_provider.identities.ceiling import within_ceiling
from oauth_provider.scopes.models import Scope, Sensitivity
from oauth_provider.scopes.openid import OFFLINE_ACCESS

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission in the reader's language; `active` is False when it opens nothing at present."""

    name: str
    title: str
    description: str
    sensitivity: str
    active: bool

    @property
    def kind(self) -> str:
        """Which heading it stands under, as on the consent page."""
        return OFFLINE_ACCESS if self.name == OFFLINE_ACCESS else self.sensitivity


@dataclass(frozen=True, slots=True)
class Access:
    """What one kind of permission comes to, in a heading and the titles under it."""

    heading: str
    titles: Sequence[str]


@dataclass(frozen=True, slots=True)
class Card:
    """One connection as a person reads about it."""

    id: str
    name: str
    trust: str
    trust_words: str
    returns_to: str
    returns_here: bool
    is_device: bool
    permissions: Sequence[Permission]
    connected_at: datetime
    used_at: datetime | None
    used_ago: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_words: str
    is_live: bool
    is_suspended: bool
    twins_words: str

    @property
    def opens_an_app(self) -> bool:
        """It returns to a scheme of an application's own, which has no host (RFC 8252 section 7.1)."""
        return self.returns_to.endswith(":")

    @property
    def access(self) -> list[Access]:
        """The permissions that count at present, in one line for each kind."""
        headings = {
            Sensitivity.SENSITIVE.value: _("Sensitive"),
            Sensitivity.WRITE.value: _("Can do for you"),
            Sensitivity.NORMAL.value: _("Can see"),
            OFFLINE_ACCESS: _("While you are away"),
        }
        found = {kind: [p.title for p in self.permissions if p.active and p.kind == kind] for kind in headings}
        return [Access(headings[kind], titles) for kind, titles in found.items() if titles]


def live_connections(user_id: int) -> QuerySet[Connection]:
    """The user's connections that are neither revoked nor expired, newest first."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return own_connections(user_id).filter(unexpired, revoked_at=None)


def past_connections(user_id: int) -> QuerySet[Connection]:
    """The user's connections that are revoked or expired, newest first."""
    over = Q(expires_at__lte=timezone.now()) | ~Q(revoked_at=None)
    return own_connections(user_id).filter(over)


def own_connections(user_id: int) -> QuerySet[Connection]:
    """Every connection of the user and of nobody else."""
    return (
        Connection.objects.filter(user_id=user_id)
        .select_related("client", "resource", "user__identity")
        .order_by("-created_at")
    )


def cards_of(connections: Iterable[Connection]) -> list[Card]:
    """A card for each connection, those used last first."""
    rows = list(connections)
    used = last_used(str(row.pk) for row in rows)
    scopes = {scope.name: scope for scope in Scope.objects.filter(name__in={n for row in rows for n in row.scope_set})}
    twins = Counter(_program(row) for row in rows)
    cards = {row: _card(row, scopes, used.get(str(row.pk)), twins=twins[_program(row)]) for row in rows}
    last = {row: card.used_at or card.connected_at for row, card in cards.items()}
    # Programs that register anew at every connection stand together
    newest = {program: max(last[row] for row in rows if _program(row) == program) for program in twins}
    order = sorted(rows, key=lambda row: (newest[_program(row)], _program(row), last[row]), reverse=True)
    return [cards[row] for row in order]


def _program(row: Connection) -> str:
    """What connections of the same program have in common, each of which can be ended alone."""
    return row.client.fingerprint or str(row.pk)


def _card(row: Connection, scopes: dict[str, Scope], used_at: datetime | None, *, twins: int) -> Card:
    client = row.client
    allowed = within_ceiling(row.user, client.askable_scopes)
    permissions = [_permission(name, scopes.get(name), allowed=name in allowed) for name in sorted(row.scope_set)]
    # What can change something is read first
    rank = {Sensitivity.SENSITIVE.value: 0, Sensitivity.WRITE.value: 1}
    return Card(
        id=str(row.pk),
        name=client.name or client.client_id,
        trust=client.trust,
        trust_words=_trust_words(client.trust),
        returns_to=row.redirect_host,
        returns_here=row.redirect_host in LOOPBACK,
        is_device=row.redirect_host == DEVICE_HOST,
        permissions=sorted(permissions, key=lambda p: (rank.get(p.sensitivity, 2), p.title)),
        connected_at=row.created_at,
        used_at=used_at,
        used_ago=_ago(used_at) if used_at else "",
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_words=_revoked_words(row),
        is_live=row.is_live,
        is_suspended=client.is_suspended,
        twins_words=_("One of %(count)s connections of the same application.") % {"count": twins} if twins > 1 else "",
    )


def _permission(name: str, scope: Scope | None, *, allowed: bool) -> Permission:
    if scope is None:
        return Permission(name=name, title=name, description="", sensitivity=Sensitivity.NORMAL.value, active=False)
    return Permission(
        name=name,
        title=scope.local_title,
        description=scope.local_description,
        sensitivity=scope.sensitivity,
        active=allowed and scope.enabled,
    )


def _trust_words(trust: str) -> str:
    words = {
        "verified": _("Our staff checked this application."),
        "proven": _("This application proved which domain it belongs to."),
        "claimed": _("This application names a domain; nobody has checked it."),
    }
    return words.get(trust, _("Nobody has checked this application."))


def _ago(moment: datetime) -> str:
    if timezone.now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}


def _revoked_words(row: Connection) -> str:
    words = {
        "user": _("by you"),
        "client": _("by the application itself"),
        "staff": _("by our staff: %(reason)s") % {"reason": row.revocation_reason},
        "provider": _("because your account was closed or blocked where you sign in"),
    }
    return words.get(row.revoked_by, "")
