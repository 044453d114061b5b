"""Delete tokens, codes and families that open nothing any more, and that no replay could be recognised by.

A family's codes and rotated refresh tokens stay while it lives: whoever presents one again is a thief or was robbed
(RFC 9700 section 4.14.2).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from oauth_provider.batches import delete_in_batches, short_transaction
from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.tokens.models import AuthorizationCode, FamilyToken, TokenFamily

CONNECTIONS = 50
Deleted = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Spent:
    """Everything that is of no use at the moment `at`, as querysets: counted, chosen and deleted by the same words."""

    at: datetime

    def families(self) -> QuerySet[TokenFamily]:
        """Revoked, or older than its client's refresh tokens live, and without a live access token."""
        ended = Q(revoked_at__isnull=False)
        for lifetime in set(Client.objects.values_list("refresh_token_lifetime_s", flat=True)):
            started = self.at - timedelta(seconds=lifetime)
            ended |= Q(created_at__lte=started, connection__client__refresh_token_lifetime_s=lifetime)
        live = FamilyToken.objects.filter(family=OuterRef("pk"), access_token__expires__gt=self.at)
        return TokenFamily.objects.filter(ended, ~Exists(live))

    def refresh_tokens(self) -> QuerySet[Any]:
        """Those of spent families."""
        rows: QuerySet[Any] = get_refresh_token_model().objects.all()
        return rows.filter(token_family__in=self.families().values("pk"))

    def access_tokens(self) -> QuerySet[Any]:
        """Expired."""
        rows: QuerySet[Any] = get_access_token_model().objects.all()
        return rows.filter(expires__lte=self.at)

    def codes(self) -> QuerySet[AuthorizationCode]:
        """Never redeemed and expired, or of a spent family."""
        unused = Q(redeemed_at=None, expires_at__lte=self.at)
        return AuthorizationCode.objects.filter(unused | Q(family__in=self.families().values("pk")))

    def grants(self) -> QuerySet[Any]:
        """What the library keeps of codes, expired."""
        rows: QuerySet[Any] = get_grant_model().objects.all()
        return rows.filter(expires__lte=self.at)

    def connections(self) -> QuerySet[Connection]:
        """Those that any of the above hangs on, in the order of their ids; they themselves stay."""
        here = OuterRef("pk")
        return Connection.objects.filter(
            Exists(self.families().filter(connection=here))
            | Exists(self.access_tokens().filter(membership__family__connection=here))
            | Exists(self.codes().filter(connection=here))
        ).order_by("pk")


def count_spent_tokens(*, at: datetime) -> int:
    """How many rows `clean_tokens` is going to delete."""
    spent = Spent(at)
    rows = (spent.families(), spent.refresh_tokens(), spent.access_tokens(), spent.codes(), spent.grants())
    return sum(each.count() for each in rows)


def clean_tokens(*, at: datetime) -> Iterator[Deleted]:
    """Delete what is spent `at` that moment; yields what each short transaction deleted, by kind."""
    spent = Spent(at)
    yield from _by_connection(spent)
    for kind, rows in {
        "access_tokens": spent.access_tokens().filter(membership=None),
        "grants": spent.grants(),
    }.items():
        yield from ((kind, deleted) for deleted in delete_in_batches(rows))


def _by_connection(spent: Spent) -> Iterator[Deleted]:
    # Whoever issues, rotates or revokes locks the connection first, and so do we: nobody waits for us in a circle
    last: UUID | None = None
    while True:
        with short_transaction():
            rows = spent.connections() if last is None else spent.connections().filter(pk__gt=last)
            free = rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
            chosen = list(free.values_list("pk", flat=True)[:CONNECTIONS])
            deleted = _clean(spent, chosen)
        if not chosen:
            break
        last = chosen[-1]
        yield from deleted
    # Those that were in use a moment ago, one by one: with one lock at a time there is no circle to wait in
    for connection in spent.connections().values_list("pk", flat=True):
        with short_transaction():
            Connection.objects.select_for_update(of=("self",), no_key=True).filter(pk=connection).first()
            deleted = _clean(spent, [connection])
        yield from deleted


def _clean(spent: Spent, connections: list[UUID]) -> list[Deleted]:
    """Delete what is spent of `connections`, which the caller has locked."""
    families = list(spent.families().filter(connection__in=connections).values_list("pk", flat=True))
    access_tokens = spent.access_tokens().filter(membership__family__connection__in=connections)
    rows: dict[str, QuerySet[Any]] = {
        "access_tokens": get_access_token_model().objects.filter(
            pk__in=list(access_tokens.values_list("pk", flat=True))
        ),
        "refresh_tokens": get_refresh_token_model().objects.filter(token_family__in=families),
        "codes": spent.codes().filter(connection__in=connections),
        "families": TokenFamily.objects.filter(pk__in=families),
    }
    return [(kind, found.delete()[1].get(found.model._meta.label, 0)) for kind, found in rows.items()]
