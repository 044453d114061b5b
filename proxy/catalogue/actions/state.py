"""How a backend's document stands, for its page in the admin: the same words that its readers get."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from oauth_provider.scopes.models import Scope
from proxy.catalogue.actions.api import api_of
from proxy.catalogue.actions.document import actions_document
from proxy.catalogue.actions.limits import Fault, NotWithinLimits
from proxy.catalogue.models import AuthMode, Backend, Operation
from proxy.catalogue.paths import DOCUMENT_PATHS


@dataclass(frozen=True, slots=True)
class DocumentState:
    """Where the document is, and what keeps it from being made: each fault with its operation, if it is one's."""

    urls: Sequence[str]
    faults: Sequence[tuple[Operation | None, str]]


def document_state(backend: Backend) -> DocumentState | None:
    """The state of `backend`'s document; None when nothing of it takes our tokens, so that there is none."""
    if AuthMode.OAUTH not in {backend.auth_mode, *backend.operations.values_list("auth_mode", flat=True)}:
        return None
    titles = dict(Scope.objects.filter(enabled=True).values_list("name", "title"))
    faults: list[Fault] = []
    try:
        actions_document(api_of(backend, scope_titles=titles))
    except NotWithinLimits as fault:
        faults = fault.faults
    named = {
        each.operation_id: each for each in backend.operations.filter(operation_id__in=[f.operation for f in faults])
    }
    return DocumentState(
        urls=[f"{settings.PUBLIC_BASE_URL}{backend.prefix}{path}" for path in DOCUMENT_PATHS],
        faults=[(named.get(each.operation), each.words) for each in faults],
    )
