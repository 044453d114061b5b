"""A name for an operation whose author gave none."""

import re

from proxy.catalogue.models import METHODS, Operation

_UNFIT = re.compile(r"[^A-Za-z0-9]+")
MAX = 64


def new_operation_id(operation: Operation) -> str:
    """Such as `get-jobs-id` for `GET /jobs/{id}`; with a number when the backend has one of that name."""
    verb = operation.methods[0].lower() if len(operation.methods) == 1 else "any" if _every(operation) else "call"
    path = _UNFIT.sub("-", operation.path.replace("**", "all")).strip("-")
    name = f"{verb}-{path}"[: MAX - 6].strip("-")
    taken = set(
        Operation.objects.filter(backend_id=operation.backend_id, operation_id__startswith=name).values_list(
            "operation_id", flat=True
        )
    )
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def _every(operation: Operation) -> bool:
    return set(operation.methods) == set(METHODS)
