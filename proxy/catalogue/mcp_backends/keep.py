"""Keep what a look found: what is as it was approved is served, what changed is not until staff approve it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit.ledger.events import Draft
from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record_all
from oauth_provider.revisions.bump import bump
from proxy.catalogue.mcp_backends.content import Found, Look, fault_of
from proxy.catalogue.mcp_backends.exposed_names import ExposedNames
from proxy.catalogue.mcp_backends.models import Definition, McpBackend, State

BATCH: Final = 500
# Longer than any look takes
LEASE: Final = timedelta(seconds=30)
LOOK_EVERY: Final = timedelta(seconds=60)
_KEPT: Final = ("seen", "seen_digest", "fault", "changed_at")
_FACTS: Final = ("protocol_version", "capabilities", "instructions")
_TOLD: Final = (
    *_FACTS,
    "server_name",
    "server_version",
    "unnamed",
    "tried_at",
    "succeeded_at",
    "leased_until",
    "fault",
)


def claim(*, backend: str, at_once: bool = False) -> bool:
    """Whether the caller is to ask `backend` now: the last time was long enough ago, and nobody else does.

    `at_once`: the backend itself said that its lists changed.
    """
    now = timezone.now()
    free = McpBackend.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), backend__name=backend)
    if not at_once:
        free = free.filter(Q(tried_at=None) | Q(tried_at__lt=now - LOOK_EVERY))
    return free.update(leased_until=now + LEASE) == 1


@transaction.atomic
def keep_fault(*, backend: str, reason: str, at: datetime) -> None:
    """The backend was asked at `at` and gave no answer; what was known of it stays."""
    found = McpBackend.objects.filter(Q(succeeded_at=None) | Q(succeeded_at__lt=at), backend__name=backend)
    found.update(tried_at=at, fault=reason[:60], leased_until=None)


@transaction.atomic
def keep_look(*, backend: str, look: Look, at: datetime) -> None:
    """Compare what was found at `at` with what was approved, and announce what clients see of it."""
    row = McpBackend.objects.select_for_update().filter(backend__name=backend).first()
    if row is None or (row.succeeded_at is not None and row.succeeded_at > at):
        # Removed meanwhile, or somebody asked later and was answered earlier
        return
    known = (row.protocol_version, row.capabilities, row.instructions)
    row.protocol_version, row.capabilities = look.facts.protocol_version, look.facts.capabilities
    row.instructions, row.unnamed = look.facts.instructions, look.unnamed
    row.server_name, row.server_version = look.server_name, look.server_version
    row.tried_at = row.succeeded_at = at
    row.fault, row.leased_until = "", None
    row.save(update_fields=_TOLD)
    events = _Comparison(row.backend_id, backend, at).with_found(look.found)
    record_all(events)
    if events or known != (row.protocol_version, row.capabilities, row.instructions):
        bump("catalogue")


class _Comparison:
    """Of what a backend says now with what is stored of it."""

    def __init__(self, backend_id: int, backend: str, at: datetime) -> None:
        self._backend_id = backend_id
        self._backend = backend
        self._at = at
        self._events: list[Draft] = []

    def with_found(self, found: tuple[Found, ...]) -> list[Draft]:
        """Store the differences; the events of those that matter to clients."""
        stored = {(row.feature, row.name): row for row in self._stored()}
        twice = {place for place, number in Counter((each.feature, each.name) for each in found).items() if number > 1}
        now = {(each.feature, each.name): each for each in found}
        changed = [row for place, row in stored.items() if self._differs(row, now.get(place), place in twice)]
        self._change(changed)
        self._add([each for place, each in now.items() if place not in stored], twice)
        # Without this a backend that changes its mind all the time would fill the table
        Definition.objects.filter(
            backend_id=self._backend_id, seen_digest="", approved_digest="", refused_digest=""
        ).delete()
        return self._events

    def _stored(self) -> list[Definition]:
        return list(Definition.objects.filter(backend_id=self._backend_id).defer("approved", "seen"))

    def _differs(self, row: Definition, found: Found | None, is_twice: bool) -> bool:
        """Write into `row` what is said now; whether that is something else."""
        before, was = row.state, (row.seen_digest, row.fault)
        if found is None:
            row.seen, row.seen_digest, row.fault = "", "", ""
        elif found.digest != row.seen_digest or is_twice or row.fault == "duplicate":
            row.seen, row.seen_digest = found.text, found.digest
            row.fault = "duplicate" if is_twice else fault_of(found)
        if was == (row.seen_digest, row.fault):
            return False
        row.changed_at = self._at
        self._tell(row, before, row.state)
        return True

    def _tell(self, row: Definition, before: State, after: State) -> None:
        if State.SERVED not in {before, after}:
            return
        is_back = after is State.SERVED
        self._events.append(
            Draft(
                kind=Kind.PROXY_DEFINITION_RESTORED if is_back else Kind.PROXY_DEFINITION_QUARANTINED,
                decision=Decision.ALLOW if is_back else Decision.DENY,
                reason="" if is_back else f"definition_{after}",
                backend=self._backend,
                target=f"definition:{self._backend}/{row.feature}/{row.name}",
                request_id="",
            )
        )

    def _change(self, rows: list[Definition]) -> None:
        # One statement for many: a backend may change all that it has. What is not named here stays
        told = ("backend_id", "feature", "name", "first_seen_at", *_KEPT)
        values = [Definition(**{name: getattr(row, name) for name in told}) for row in rows]
        Definition.objects.bulk_create(
            values, batch_size=BATCH, update_conflicts=True, update_fields=_KEPT,
            unique_fields=("backend", "feature", "name"),
        )  # fmt: skip

    def _add(self, new: list[Found], twice: set[tuple[str, str]]) -> None:
        if not new:
            return
        names = ExposedNames(self._backend)
        rows = [
            Definition(
                backend_id=self._backend_id,
                feature=each.feature,
                name=each.name,
                exposed_name=names.new(each.feature, each.name),
                seen=each.text,
                seen_digest=each.digest,
                fault="duplicate" if (each.feature, each.name) in twice else fault_of(each),
                first_seen_at=self._at,
                changed_at=self._at,
            )
            for each in new
        ]
        Definition.objects.bulk_create(rows, batch_size=BATCH)
