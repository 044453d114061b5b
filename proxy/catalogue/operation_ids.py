"""A name for an operation whose author gave none."""

import re
from collections.abc import Container

from proxy.catalogue.models import Operation

_UNFIT = re.compile(r"[^A-Za-z0-9]+")
MAX = 64


def new_operation_id(operation: Operation, *, taken: Container[str]) -> str:
    """Such as `get-jobs-id` for `GET /jobs/{id}`, or its JSON-RPC method, or what it opens at an MCP backend.

    With a number when that name is `taken`.
    """
    if operation.rpc_method:
        return _numbered(_UNFIT.sub("-", operation.rpc_method).strip("-") or "call", taken=taken)
    if operation.feature:
        name = _UNFIT.sub("-", operation.feature_name).strip("-") or "all"
        return _numbered(f"{operation.feature}-{name}", taken=taken)
    verb = operation.methods[0].lower() if len(operation.methods) == 1 else "call"
    path = _UNFIT.sub("-", operation.path.replace("**", "all")).strip("-")
    return _numbered(f"{verb}-{path}", taken=taken)


def _numbered(wanted: str, *, taken: Container[str]) -> str:
    name = wanted[: MAX - 6].strip("-")
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique
