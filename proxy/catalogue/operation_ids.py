"""A name for an operation whose author gave none."""

import re
from collections.abc import Container

from proxy.catalogue.models import Operation

_UNFIT = re.compile(r"[^A-Za-z0-9]+")
MAX = 64


def new_operation_id(operation: Operation, *, taken: Container[str]) -> str:
    """Such as `get-jobs-id` for `GET /jobs/{id}`; with a number when that name is `taken`."""
    verb = operation.methods[0].lower() if len(operation.methods) == 1 else "call"
    path = _UNFIT.sub("-", operation.path.replace("**", "all")).strip("-")
    name = f"{verb}-{path}"[: MAX - 6].strip("-")
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique
