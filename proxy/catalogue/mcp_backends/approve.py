"""Approve or refuse what a backend says of one of its tools, prompts or resources."""

from collections.abc import Iterable
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.ledger.events import Draft, UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record_all
from oauth_provider.revisions.bump import bump
from proxy.catalogue.mcp_backends.models import Definition, State
from proxy.catalogue.mcp_backends.opened import Openings
from proxy.catalogue.models import Operation

BATCH: Final = 500


@transaction.atomic
def approve(*, definition: Definition, digest: str, actor: UserRef | None, note: str) -> None:
    """Serve `definition` as the backend says it now, where an operation opens it.

    Args:
        definition: need not be fresh.
        digest: of the content that was looked at; "" for whatever there is.
        actor: the member of staff.
        note: the reason given.

    Raises:
        ValidationError: it cannot be served, or is another one by now.
    """
    row = _locked(definition, digest)
    if row.fault:
        raise ValidationError(_("It cannot be served as the backend says it now."))
    if row.state is not State.SERVED:
        _approve([row], actor=actor, note=note, reason="")


@transaction.atomic
def refuse(*, definition: Definition, digest: str, actor: UserRef | None, note: str) -> None:
    """Do not serve `definition` as the backend says it now, and do not ask again; arguments as for `approve`.

    Raises:
        ValidationError: it is another one by now.
    """
    row = _locked(definition, digest)
    row.refused_digest = row.seen_digest
    if row.approved_digest == row.seen_digest:
        row.approved, row.approved_digest, row.approved_at = "", "", None
    row.save(update_fields=["approved", "approved_digest", "refused_digest", "approved_at"])
    record_all([_event(row, Kind.ADMIN_DEFINITION_REFUSED, actor, note, "")])
    bump("catalogue")


@transaction.atomic
def approve_opened(*, operations: Iterable[Operation], actor: UserRef | None) -> None:
    """Approve what new `operations` open and nobody has judged yet: whoever made them asked for it.

    One that is disabled opens nothing, and `*` nothing that has an operation of its own.
    """
    wanted = {operation.pk: operation.backend for operation in operations}
    rows: list[Definition] = []
    for backend in {backend.pk: backend for backend in wanted.values()}.values():
        openings = Openings(backend)
        waiting = Definition.objects.select_for_update(of=("self",)).filter(
            Definition.in_state(State.WAITING), backend_id=backend.pk
        )
        for row in waiting.select_related("backend"):
            operation = openings.of(row)
            rows += [row] if operation and operation.pk in wanted else []
    if rows:
        _approve(rows, actor=actor, note="", reason="operation_added")


def _approve(rows: list[Definition], *, actor: UserRef | None, note: str, reason: str) -> None:
    # Locked, so that they are still what was looked at
    for start in range(0, len(rows), BATCH):
        Definition.objects.filter(pk__in=[row.pk for row in rows[start : start + BATCH]]).update(
            approved=F("seen"), approved_digest=F("seen_digest"), refused_digest="", approved_at=timezone.now()
        )
    record_all([_event(row, Kind.ADMIN_DEFINITION_APPROVED, actor, note, reason) for row in rows])
    bump("catalogue")


def _locked(definition: Definition, digest: str) -> Definition:
    rows = Definition.objects.select_for_update(of=("self",)).select_related("backend")
    row = rows.filter(Q(pk=definition.pk)).first()
    if row is None or not row.seen_digest:
        raise ValidationError(_("The backend does not offer it any more."))
    if digest and digest != row.seen_digest:
        raise ValidationError(_("The backend says something else by now: look at it again."))
    return row


def _event(row: Definition, kind: Kind, actor: UserRef | None, note: str, reason: str) -> Draft:
    return Draft(
        kind=kind,
        actor=actor,
        backend=row.backend.name,
        target=f"definition:{row.backend.name}/{row.feature}/{row.name}",
        note=note,
        reason=reason,
    )
