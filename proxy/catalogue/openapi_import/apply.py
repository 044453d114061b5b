"""Store an import, all of it or nothing: what can be checked is checked before anybody has to wait for it."""

from collections.abc import Callable, Sequence
from functools import partial

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record_all
from oauth_provider.revisions.bump import bump
from proxy.catalogue.add_many import RowRefused, check_new, store_new
from proxy.catalogue.models import Backend, Operation, known_scopes
from proxy.catalogue.openapi_import.faults import ChangedMeanwhile, OperationRefused
from proxy.catalogue.openapi_import.merge import Fate, Plan, Step, make_plan, remembered
from proxy.catalogue.openapi_import.names import name_for
from proxy.catalogue.openapi_import.propose import Proposal
from proxy.catalogue.operation_event import operation_event

REASON = "openapi_import"
# An operation with its new values, and the names of those that are new
Change = tuple[Operation, list[str]]


def apply_import(
    *,
    backend: Backend,
    proposals: Sequence[Proposal],
    notes: Sequence[str],
    seen: str,
    disable_missing: bool,
    actor: UserRef | None,
    note: str,
) -> Plan:
    """Make the operations of `backend` what the `proposals` say, and return what was done.

    Args:
        backend: stored.
        proposals: of every path of the document.
        notes: what concerns the whole document.
        seen: digest of the plan that somebody agreed to.
        disable_missing: operations that were imported once and are not in the document any more answer no longer.
        actor: the member of staff; None from a shell.
        note: the reason a person gave.

    Raises:
        OperationRefused: the data plane could not run one of them.
        ChangedMeanwhile: the plan is another one by now.
    """
    plan_as_seen = partial(_plan_as_seen, backend, proposals, notes, seen)
    plan = plan_as_seen()
    changed = [_changed(step) for step in plan.of(Fate.CHANGED)]
    gone = [_disabled(step) for step in plan.of(Fate.GONE)] if disable_missing else []
    new = _checked(backend, plan, changed, plan_as_seen)
    try:
        with transaction.atomic():
            # Whoever imports into the same backend waits here, and then finds other operations than it looked at
            Backend.objects.select_for_update().get(pk=backend.pk)
            plan_as_seen()
            _store([*changed, *gone], actor=actor, note=note)
            store_new(operations=new, actor=actor, note=note, reason=REASON)
    except IntegrityError as error:
        raise ChangedMeanwhile from error
    return plan


def _checked(
    backend: Backend, plan: Plan, changed: Sequence[Change], plan_as_seen: Callable[[], Plan]
) -> list[Operation]:
    try:
        _check_changed(backend, changed)
        return _new(backend, plan.of(Fate.NEW))
    except OperationRefused:
        # Perhaps only because of what somebody else stored since
        plan_as_seen()
        raise


def _plan_as_seen(backend: Backend, proposals: Sequence[Proposal], notes: Sequence[str], seen: str) -> Plan:
    plan = make_plan(backend=backend, proposals=proposals, notes=notes)
    if plan.digest != seen:
        raise ChangedMeanwhile
    return plan


def _changed(step: Step) -> Change:
    operation, proposal = step.operation, step.proposal
    if operation is None or proposal is None:
        raise ValueError(step.fate)
    for change in step.taken:
        setattr(operation, change.name, change.after)
    operation.imported = remembered(proposal)
    return operation, [change.name for change in step.taken]


def _disabled(step: Step) -> Change:
    operation = step.operation
    if operation is None or operation.imported is None:
        raise ValueError(step.fate)
    operation.enabled = False
    # So that it is enabled again when the document has it again
    operation.imported = operation.imported | {"enabled": False}
    return operation, ["enabled"]


def _new(backend: Backend, steps: Sequence[Step]) -> list[Operation]:
    taken = set(backend.operations.values_list("operation_id", flat=True))
    operations, labels = [], []
    for step in steps:
        if step.proposal is None:
            raise ValueError(step.fate)
        operation = Operation(backend=backend, **(step.proposal.values or {}), imported=remembered(step.proposal))
        operation.operation_id = name_for(step.proposal.operation_id, operation, taken=taken)
        taken.add(operation.operation_id)
        operations.append(operation)
        labels.append(step.label)
    try:
        check_new(operations)
    except RowRefused as refusal:
        raise _refused(labels[refusal.index], refusal.fault) from refusal
    return operations


def _check_changed(backend: Backend, changed: Sequence[Change]) -> None:
    scopes = known_scopes({name for operation, _fields in changed for name in operation.named_scopes})
    moved = {operation.pk for operation, _fields in changed}
    answers = {
        (method, each.path): each for each in backend.operations.exclude(pk__in=moved) for method in each.methods
    }
    for operation, fields in changed:
        try:
            if fields:
                operation.clean_fields(exclude={"backend"})
                operation.clean_with(scopes)
        except ValidationError as fault:
            raise _refused(f"{' '.join(operation.methods)} {operation.path}", fault) from fault
        for method in operation.methods:
            other = answers.setdefault((method, operation.path), operation)
            if other is not operation:
                raise OperationRefused(f"{method} {operation.path}: {other.operation_id}")


def _store(changed: Sequence[Change], *, actor: UserRef | None, note: str) -> None:
    for operation, fields in changed:
        operation.save(update_fields=[*fields, "imported"])
    event = partial(operation_event, Kind.ADMIN_OBJECT_CHANGED, actor=actor, reason=REASON, note=note)
    # Of some nothing changed but our memory of them
    events = [event(operation, fields=fields) for operation, fields in changed if fields]
    if events:
        record_all(events)
        bump("catalogue")


def _refused(label: str, fault: ValidationError) -> OperationRefused:
    words = "; ".join(f"{name}: {' '.join(faults)}" for name, faults in fault.message_dict.items())
    return OperationRefused(f"{label}: {words}")
