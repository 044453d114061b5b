"""Keep what staff connect: checked, registered, recorded and announced, whoever asks for it."""

from collections.abc import Iterable
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.admin_log import kind_of_save, record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record_all
from oauth_provider.resources.registry import register
from oauth_provider.revisions.bump import bump
from proxy.catalogue.credentials import Credential, NoCredential
from proxy.catalogue.mcp_backends.models import McpBackend
from proxy.catalogue.mcp_backends.wanted import look_at, look_for
from proxy.catalogue.models import Backend, BackendKind, Operation
from proxy.catalogue.operation_event import operation_event
from proxy.catalogue.tool_names import is_exposed, new_tool_name, taken_names


@transaction.atomic
def save_backend(
    *,
    backend: Backend,
    actor: UserRef | None,
    credential: Credential | NoCredential | None = None,
    client_key: str | None = None,
    fields: Iterable[str] = (),
    reason: str = "",
    note: str = "",
) -> None:
    """Store a new or changed backend and make its prefix a resource that tokens can be bound to (RFC 8707).

    One of kind mcp is asked what it offers once this is committed; whatever it says, it is stored.

    Args:
        backend: with its new values; need not be checked.
        actor: the member of staff; None at start and from a shell.
        credential: the gateway's own at this backend, sealed here; None leaves what there is.
        client_key: PEM of the key of its client certificate, sealed here; "" takes it away, None leaves it.
        fields: names of what changed, for the event.
        reason: a slug, when no person is behind it: "environment", "demo".
        note: the reason a person gave.

    Raises:
        ValidationError: by field, when the data plane could not run it.
    """
    kind = kind_of_save(backend)
    backend.give(credential=credential, client_key=client_key)
    backend.full_clean()
    backend.save()
    register(path=backend.prefix, title=backend.name)
    if backend.kind == BackendKind.MCP:
        McpBackend.objects.get_or_create(backend=backend)
        transaction.on_commit(partial(look_at, backend))
    record_admin_change(
        kind=kind, actor=actor, target=f"backend:{backend.name}", backend=backend.name,
        fields=fields, reason=reason, note=note,
    )  # fmt: skip
    bump("catalogue")


@transaction.atomic
def save_operation(
    *, operation: Operation, actor: UserRef | None, fields: Iterable[str] = (), reason: str = "", note: str = ""
) -> None:
    """Store a new or changed operation; arguments as for `save_backend`.

    What a new one opens at an MCP backend counts as approved, as the backend says it once this is committed.

    Raises:
        ValidationError: by field, when the data plane could not run it.
    """
    kind = kind_of_save(operation)
    is_new = kind is Kind.ADMIN_OBJECT_ADDED
    if is_new and operation.tool_name is None and not (operation.rpc_method or operation.feature):
        operation.tool_name = new_tool_name(operation, taken=taken_names(operation))
    operation.full_clean()
    if is_exposed(operation.tool_name):
        raise ValidationError({"tool_name": _("A tool of an MCP backend has this name.")})
    operation.save()
    if is_new and operation.feature:
        transaction.on_commit(partial(look_for, [operation], actor=actor))
    record_all([operation_event(kind, operation, actor=actor, fields=fields, reason=reason, note=note)])
    bump("catalogue")
