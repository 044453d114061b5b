"""The operation id of an imported operation: the document's, as far as ours may look like it."""

import re
from collections.abc import Container

from proxy.catalogue.models import Operation
from proxy.catalogue.operation_ids import MAX, new_operation_id

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


def name_for(given: str, operation: Operation, *, taken: Container[str]) -> str:
    """`given`, with a number when that name is `taken`; one made of its method and path when nothing is given."""
    stem = _UNFIT.sub("-", given).strip("-")[:MAX]
    if not stem:
        return new_operation_id(operation, taken=taken)
    name, number = stem, 2
    while name in taken:
        suffix = f"-{number}"
        name, number = stem[: MAX - len(suffix)] + suffix, number + 1
    return name
