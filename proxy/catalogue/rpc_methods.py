"""Operations that are named in the body: the methods of a JSON-RPC 2.0 backend, all of them at one path."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from proxy.catalogue.paths import BadTemplate, compile_template

if TYPE_CHECKING:
    from proxy.catalogue.models import Operation

METHOD_MAX: Final = 200
# How such a method is called over HTTP
HTTP_METHODS: Final = ("POST",)
_NAME: Final = re.compile(r"\A[!-~]{1,200}\Z")
ALL: Final = "POST *"


def rpc_faults(operation: "Operation", *, kind: str, backend_mode: str) -> dict[str, list[str]]:
    """What the data plane could not run of an operation that names a method; nothing for every other one."""
    if not operation.rpc_method:
        return {}
    faults: dict[str, list[str]] = {}
    if kind != "jsonrpc":
        faults["rpc_method"] = [_("Only a backend of kind jsonrpc has these.")]
    elif not _NAME.match(operation.rpc_method):
        faults["rpc_method"] = [_("A name of printable ASCII without blanks, 200 characters at most.")]
    if operation.methods != list(HTTP_METHODS):
        faults["methods"] = [_("JSON-RPC is called by POST alone.")]
    if operation.auth_mode not in {"", backend_mode}:
        faults["auth_mode"] = [_("Who calls is known before the body is read: as the backend, for all its methods.")]
    if operation.tool_name:
        faults["tool_name"] = [_("A method of a JSON-RPC backend is no tool.")]
    if not _is_literal(operation.path):
        faults["path"] = [_("The methods of a backend share a path without {…} and **.")]
    return faults


def answered(operation: "Operation") -> tuple[list[str], list[str]]:
    """What an operation answers at its path, and what no other one there may answer."""
    if operation.feature:
        own = f"{operation.feature} {operation.feature_name}"
        return [own], [own]
    if operation.rpc_method:
        own = f"POST {operation.rpc_method}"
        return [own, ALL], [own, "POST"]
    return operation.methods, [*operation.methods, *([ALL] if "POST" in operation.methods else [])]


def by_path(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[int]]]:
    """Each path at which methods are named in the body, with the positions of its operations."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        if row["rpc_method"]:
            found[row["path"]].append(position)
    yield from found.items()


def _is_literal(path: str) -> bool:
    try:
        template = compile_template(path)
    except BadTemplate:
        # Said of the path itself
        return True
    return not template.names and not template.tail
