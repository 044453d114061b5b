"""Add operations, one or thousands: checked together, stored and recorded in a handful of statements.

On SQLite everybody waits for whoever writes, so what can be checked is checked before.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record_all
from oauth_provider.revisions.bump import bump
from proxy.catalogue.mcp_backends.exposed_names import taken as exposed_names
from proxy.catalogue.mcp_backends.features import OPENED_ALREADY, TOOL
from proxy.catalogue.mcp_backends.wanted import look_for
from proxy.catalogue.models import Operation, known_scopes
from proxy.catalogue.operation_event import operation_event
from proxy.catalogue.operation_ids import new_operation_id
from proxy.catalogue.rpc_methods import answered
from proxy.catalogue.tool_names import new_tool_name

BATCH = 500
FIELDS = ("annotations", "any_scopes", "auth_mode", "consequential", "cost", "description", "enabled", "feature",
          "feature_name", "idempotent", "max_request_bytes", "methods", "operation_id", "parameters", "path",
          "request_schema", "request_type", "response_schema", "rpc_method", "scopes", "title",
          "tool_name")  # fmt: skip


class RowRefused(Exception):
    """The operation at `index` cannot run; `fault` says why, by field."""

    def __init__(self, index: int, fault: ValidationError) -> None:
        super().__init__(index)
        self.index = index
        self.fault = fault


class _Neighbours:
    """What the backends of new operations answer already, the new ones admitted so far included."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._scopes = known_scopes({name for each in operations for name in each.named_scopes})
        self._ids: defaultdict[int, set[str]] = defaultdict(set)
        self._answers: dict[tuple[int, str, str], str] = {}
        self._tools: set[str | None] = {*exposed_names(TOOL)}
        backends = {each.backend_id for each in operations}
        for other in Operation.objects.filter(backend_id__in=backends):
            self._add(other)

    def admit(self, operation: Operation) -> None:
        """Check one more.

        Raises:
            ValidationError: by field.
        """
        ids = self._ids[operation.backend_id]
        operation.clean_with(self._scopes)
        operation.operation_id = operation.operation_id or new_operation_id(operation, taken=ids)
        if not (operation.rpc_method or operation.feature):
            operation.tool_name = operation.tool_name or new_tool_name(operation, taken=self._tools)
        operation.clean_fields(exclude={"backend"})
        if operation.tool_name is not None and operation.tool_name in self._tools:
            raise ValidationError({"tool_name": _("Another tool has this name.")})
        if operation.operation_id in ids:
            raise ValidationError({"operation_id": _("This backend has an operation of this name.")})
        for method in answered(operation)[1]:
            if name := self._answers.get((operation.backend_id, operation.path, method)):
                if operation.feature:
                    raise ValidationError({"feature_name": OPENED_ALREADY})
                names = {"methods": method, "name": name}
                raise ValidationError({"path": _("%(name)s answers %(methods)s at this path already.") % names})
        self._tools.add(operation.tool_name)
        self._add(operation)

    def _add(self, operation: Operation) -> None:
        self._ids[operation.backend_id].add(operation.operation_id)
        for method in answered(operation)[0]:
            self._answers[operation.backend_id, operation.path, method] = operation.operation_id


def add_operations(*, operations: Sequence[Operation], actor: UserRef | None, note: str = "") -> None:
    """Store new `operations`, all or none; one without an id gets one made of its method and path.

    Raises:
        RowRefused: the data plane could not run one of them, or another one hides it.
        IntegrityError: somebody else was a moment earlier.
    """
    check_new(operations)
    store_new(operations=operations, actor=actor, note=note)


def check_new(operations: Sequence[Operation]) -> None:
    """Check new `operations` and name those without a name, before anything is locked.

    Raises:
        RowRefused: the data plane could not run one of them, or another one hides it.
    """
    neighbours = _Neighbours(operations)
    for index, operation in enumerate(operations):
        try:
            neighbours.admit(operation)
        except ValidationError as fault:
            raise RowRefused(index, fault) from fault


@transaction.atomic
def store_new(*, operations: Sequence[Operation], actor: UserRef | None, note: str, reason: str = "") -> None:
    """Store what `check_new` let in. `reason` is a slug, when they were not typed by anybody.

    Raises:
        IntegrityError: somebody else was a moment earlier.
    """
    if operations:
        Operation.objects.bulk_create(operations, batch_size=BATCH)
        event = partial(operation_event, Kind.ADMIN_OBJECT_ADDED, actor=actor, fields=FIELDS, reason=reason, note=note)
        record_all([event(operation) for operation in operations])
        bump("catalogue")
        if opening := [operation for operation in operations if operation.feature]:
            transaction.on_commit(partial(look_for, opening, actor=actor))
