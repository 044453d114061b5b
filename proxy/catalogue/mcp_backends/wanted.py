"""Ask for a look: who looks stands above the catalogue, so it is told by a signal."""

from collections.abc import Sequence

from django.dispatch import Signal

from audit.ledger.events import UserRef
from proxy.catalogue.mcp_backends.approve import approve_opened
from proxy.catalogue.mcp_backends.models import McpBackend
from proxy.catalogue.models import Backend, Operation

# Sent with `backend`, outside any transaction; whoever receives it asks the backend, and raises nothing
look_wanted = Signal()


def look_at(backend: Backend) -> str:
    """Ask `backend` now what it offers, within five seconds; returns the fault as a slug, "" when it answered."""
    look_wanted.send(sender=Backend, backend=backend)
    return McpBackend.objects.filter(backend=backend).values_list("fault", flat=True).first() or ""


def look_for(operations: Sequence[Operation], *, actor: UserRef | None) -> None:
    """Ask the backend of new `operations`, and approve what they open of what it says."""
    for backend in {operation.backend.pk: operation.backend for operation in operations}.values():
        look_at(backend)
    approve_opened(operations=operations, actor=actor)
