"""Put the fixture behind a started gateway, everything of it: `python -m tests.conformance.federate URL`."""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import sys
from typing import Final

import django

django.setup()

from proxy.catalogue.models import Backend, BackendKind, Operation
from proxy.catalogue.save import save_backend, save_operation

REASON: Final = "demo"


def main(url: str) -> None:
    """Register it, and open all that it offers to whoever may read."""
    backend = Backend(name="fixture", kind=BackendKind.MCP, prefix="/mcp/fixture", upstream_url=url, allow_private=True)
    save_backend(backend=backend, actor=None, reason=REASON)
    for feature in ("tool", "prompt", "resource"):
        operation = Operation(
            backend=backend,
            operation_id=f"every_{feature}",
            feature=feature,
            feature_name="*",
            methods=["POST"],
            path="/",
            scopes=["tool:read"],
        )
        save_operation(operation=operation, actor=None, reason=REASON)


if __name__ == "__main__":
    main(sys.argv[1])
