"""Two backends with operations of one name, and what staff set servers with."""

import pytest

from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation
from tests.management_api import api
from tests.staff_browser import staff

__all__ = ["api", "staff"]


@pytest.fixture
def operations(db: None) -> dict[str, Operation]:
    """By `<backend>/<operation id>`; those of `open` are no tools."""
    del db
    for name in ("jobs:read", "jobs:write"):
        Scope.objects.create(name=name, title=name)
    found = {}
    for backend_name, mode in (("jobs", "oauth"), ("people", "oauth"), ("open", "public")):
        backend = Backend(
            name=backend_name,
            prefix=f"/api/v1/{backend_name}",
            upstream_url="https://jobs.example/",
            auth_mode=mode,
        )
        save_backend(backend=backend, actor=None)
        for method, name, scope in (("GET", "search", "jobs:read"), ("DELETE", f"drop-{backend_name}", "jobs:write")):
            operation = Operation(
                backend=backend, operation_id=name, methods=[method], path=f"/{name}", scopes=[scope], title=name
            )
            save_operation(operation=operation, actor=None)
            found[str(operation)] = operation
    return found
