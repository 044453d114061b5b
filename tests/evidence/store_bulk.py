"""Store the backend of large bodies at a started gateway: `python -m tests.evidence.store_bulk <its port>`."""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import sys

import django

django.setup()

from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation

GIB = 1 << 30


def main(port: int) -> None:
    """A public backend that takes up to a gibibyte."""
    backend = Backend(
        name="bulk",
        prefix="/api/v1/bulk",
        upstream_url=f"http://127.0.0.1:{port}",
        allow_private=True,
        auth_mode="public",
        timeout_ms=300_000,
        max_request_bytes=GIB,
    )
    save_backend(backend=backend, actor=None)
    operation = Operation(backend=backend, operation_id="all", methods=["GET", "POST"], path="/**")
    save_operation(operation=operation, actor=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
