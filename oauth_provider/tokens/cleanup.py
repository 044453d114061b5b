"""Delete tokens, codes and families that open nothing any more, and that no replay could be recognised by.

A family's codes and rotated refresh tokens stay while it lives: whoever presents one again is a thief or was robbed
(RFC 9700 section 4.14.2).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from oauth2_provider.models import get_access_token_model, get_grant_model, get_refresh_token_model

from oauth_provider.batches import ROWS, delete_in_batches, short_transaction
from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.tokens.models import AuthorizationCode, FamilyToken, TokenFamily, UsedAssertion
from oauth_provider.tokens.retry import RETRY_WINDOW

# Connections found by one look, and locked by one transaction
FOUND = 10_000
LOCKED = 10
Deleted = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Spent:
    """Everything that is of no use at the moment `at`, as querysets.

    `lifetimes` are those of clients' refresh tokens, each unused and altogether.
    """

    at: datetime
    lifetimes: frozenset[tuple[int, int]]

    def families(self) -> QuerySet[TokenFamily]:
        """Revoked, or past what `TokenFamily.refreshable_until` says, and without a live access token."""
        ended = Q(revoked_at__isnull=False)
        for unused, altogether in self.lifetimes:
            over = Q(refreshed_at__lte=self.at - timedelta(seconds=unused)) | Q(
                created_at__lte=self.at - timedelta(seconds=altogether)
            )
            ended |= over & Q(
                connection__client__refresh_token_lifetime_s=unused,
                connection__client__refresh_token_absolute_lifetime_s=altogether,
            )
        live = FamilyToken.objects.filter(family=OuterRef("pk"), access_token__expires__gt=self.at)
        return TokenFamily.objects.filter(ended, ~Exists(live))

    def access_tokens(self) -> QuerySet[Any]:
        """Expired."""
        rows: QuerySet[Any] = get_access_token_model().objects.all()
        return rows.filter(expires__lte=self.at)

    def codes(self) -> QuerySet[AuthorizationCode]:
        """Expired and never redeemed; one that was goes with its family."""
        return AuthorizationCode.objects.filter(redeemed_at=None, expires_at__lte=self.at)

    def grants(self) -> QuerySet[Any]:
        """What the library keeps of codes, expired."""
        rows: QuerySet[Any] = get_grant_model().objects.all()
        return rows.filter(expires__lte=self.at)

    def assertions(self) -> QuerySet[UsedAssertion]:
        """Assertions that ended: nobody accepts them any more, used or not."""
        return UsedAssertion.objects.filter(expires_at__lte=self.at)

    def connections(self, *, but: set[UUID]) -> set[UUID]:
        """Ids of connections that any of the above hangs on, without those of `but`; not necessarily all."""
        of_tokens = self.access_tokens().exclude(membership=None)
        ids = (
            self.families().exclude(connection__in=but).values_list("connection", flat=True),
            of_tokens.exclude(membership__family__connection__in=but).values_list(
                "membership__family__connection", flat=True
            ),
            self.codes().exclude(connection__in=but).values_list("connection", flat=True),
        )
        return {connection for each in ids for connection in each.distinct()[:FOUND]}


def count_spent_tokens(*, at: datetime) -> int:
    """How many rows `clean_tokens` is going to delete."""
    spent = _spent(at)
    families = spent.families().values("pk")
    rows = (
        families,
        get_refresh_token_model().objects.filter(token_family__in=families),
        AuthorizationCode.objects.filter(family__in=families),
        spent.access_tokens(),
        spent.codes(),
        spent.grants(),
        spent.assertions(),
    )
    return sum(each.count() for each in rows)


def clean_tokens(*, at: datetime) -> Iterator[Deleted]:
    """Delete what is spent `at` that moment; yields what each short transaction deleted, by kind."""
    _forget_sealed_pairs(at)
    spent = _spent(at)
    yield from _by_connection(spent)
    for kind, rows in {
        "access_tokens": spent.access_tokens().filter(membership=None),
        "grants": spent.grants(),
        "assertions": spent.assertions(),
    }.items():
        yield from ((kind, deleted) for deleted in delete_in_batches(rows))


def _forget_sealed_pairs(at: datetime) -> None:
    """Those that no repeated refresh gets any more; what is in use at this moment is forgotten the next time."""
    stale = TokenFamily.objects.exclude(sealed_pair="").filter(refreshed_at__lte=at - RETRY_WINDOW)
    found = True
    while found:
        with short_transaction():
            rows = stale.select_for_update(of=("self",), no_key=True, skip_locked=True)
            chosen = list(rows.values_list("pk", flat=True)[:ROWS])
            found = bool(TokenFamily.objects.filter(pk__in=chosen).update(sealed_pair=""))


def _spent(at: datetime) -> Spent:
    lifetimes = Client.objects.values_list("refresh_token_lifetime_s", "refresh_token_absolute_lifetime_s")
    return Spent(at, frozenset(lifetimes.distinct()))


def _by_connection(spent: Spent) -> Iterator[Deleted]:
    # Whoever issues, rotates or revokes locks the connection first, and so do we: nobody waits for us in a circle
    busy: set[UUID] = set()
    while found := sorted(spent.connections(but=busy)):
        for start in range(0, len(found), LOCKED):
            chosen = found[start : start + LOCKED]
            with short_transaction():
                rows = Connection.objects.filter(pk__in=chosen)
                free = rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
                locked = list(free.values_list("pk", flat=True))
                deleted = _clean(spent, locked)
            busy |= set(chosen) - set(locked)
            yield from deleted
    # Those that were in use a moment ago, one by one: with one lock at a time there is no circle to wait in
    for connection in busy:
        with short_transaction():
            Connection.objects.select_for_update(of=("self",), no_key=True).filter(pk=connection).first()
            deleted = _clean(spent, [connection])
        yield from deleted


def _clean(spent: Spent, connections: list[UUID]) -> list[Deleted]:
    """Delete what is spent of `connections`, which the caller has locked."""
    families = list(spent.families().filter(connection__in=connections).values_list("pk", flat=True))
    access_tokens = spent.access_tokens().filter(membership__family__connection__in=connections)
    rows: tuple[QuerySet[Any], ...] = (
        get_access_token_model().objects.filter(pk__in=list(access_tokens.values_list("pk", flat=True))),
        get_refresh_token_model().objects.filter(token_family__in=families),
        spent.codes().filter(connection__in=connections),
        # Their redeemed codes with them
        TokenFamily.objects.filter(pk__in=families),
    )
    deleted: Counter[str] = Counter()
    for each in rows:
        deleted.update(each.delete()[1])
    kinds = {
        "access_tokens": get_access_token_model(),
        "refresh_tokens": get_refresh_token_model(),
        "codes": AuthorizationCode,
        "families": TokenFamily,
    }
    return [(kind, deleted[model._meta.label]) for kind, model in kinds.items()]
