"""Take a backend or an operation out of the catalogue."""

from django.db import transaction

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.bump import bump
from proxy.catalogue.models import Backend, Operation


@transaction.atomic
def remove_backend(*, backend: Backend, actor: UserRef | None, note: str) -> None:
    """Delete `backend` with its operations; its prefix answers nothing from now on. `note` is the reason given.

    Its resource goes too, unless somebody ever connected to it: what people gave stays readable.
    """
    record(
        kind=Kind.ADMIN_OBJECT_DELETED,
        actor=actor,
        target=f"backend:{backend.name}",
        backend=backend.name,
        note=note,
    )
    prefix = backend.prefix
    backend.delete()
    Resource.objects.filter(path=prefix, connections=None).delete()
    bump("catalogue")


@transaction.atomic
def remove_operation(*, operation: Operation, actor: UserRef | None, note: str) -> None:
    """Delete `operation`; its path answers 404 from now on. `note` is the reason given."""
    record(
        kind=Kind.ADMIN_OBJECT_DELETED,
        actor=actor,
        target=f"operation:{operation.backend.name}/{operation.operation_id}",
        backend=operation.backend.name,
        operation=operation.operation_id,
        note=note,
    )
    operation.delete()
    bump("catalogue")
