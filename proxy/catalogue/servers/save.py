"""Keep an MCP server as staff want it: checked, registered, recorded and announced, whoever asks for it."""

from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.admin_log import kind_of_save, record_admin_change
from audit.ledger.events import UserRef
from oauth_provider.resources.registry import register
from oauth_provider.revisions.bump import bump
from proxy.catalogue.models import Operation
from proxy.catalogue.servers.models import McpServer, offerable


@transaction.atomic
def save_server(
    *,
    server: McpServer,
    actor: UserRef | None,
    operations: Collection[Operation] | None = None,
    fields: Iterable[str] = (),
    note: str = "",
) -> None:
    """Store a new or changed server and make its address a resource that tokens can be bound to (RFC 8707).

    Args:
        server: with its new values; need not be checked.
        actor: the member of staff; None from a shell.
        operations: all that it offers from now on; None leaves them.
        fields: names of what changed, for the event.
        note: the reason a person gave.

    Raises:
        ValidationError: by field.
    """
    kind = kind_of_save(server)
    server.full_clean()
    if operations is not None:
        _check_offerable(server, operations)
    server.save()
    if operations is not None:
        server.operations.set(operations)
    register(path=server.path, title=server.shown_title)
    record_admin_change(kind=kind, actor=actor, target=f"server:{server.name}", fields=fields, note=note)
    bump("catalogue")


def _check_offerable(server: McpServer, operations: Collection[Operation]) -> None:
    """Whatever it offered before may stay: it is not listed while it is no tool."""
    new = {operation.pk for operation in operations}
    if server.pk:
        new -= set(server.operations.values_list("pk", flat=True))
    fine = set(Operation.objects.filter(offerable(), pk__in=new).values_list("pk", flat=True))
    if strange := sorted(str(operation) for operation in operations if operation.pk in new - fine):
        words = _("No tool, or its callers show no access token: %(names)s.")
        raise ValidationError({"operations": [words % {"names": ", ".join(strange)}]})
