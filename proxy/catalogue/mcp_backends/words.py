"""Faults of MCP backends and of what they offer, in words for those who run them."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from proxy.catalogue.mcp_backends.content import DESCRIPTION_MAX_BYTES, schema_fault
from proxy.catalogue.mcp_backends.models import Definition

# Of a backend, beside the reasons that calls have
LOOK_FAULTS: Final[Mapping[str, Promise]] = {
    "mcp_unreadable": _("Its answer is no MCP message, or its lists lead in circles."),
    "mcp_too_large": _("It says more than can be believed."),
    "mcp_version": _("It speaks no revision of MCP that is spoken here."),
    "mcp_error": _("It answered with an error."),
    "backend_unusable": _("It cannot be called as it is stored: save it again."),
    "conflict": _("A name was given away at the same moment: look again."),
    "crash": _("Asking it failed: the gateway's log says why."),
    "status_401": _("It answered 401: it does not take the gateway's credential."),
    "status_404": _("It answered 404: no MCP server is at this URL."),
}
# Of one definition
FAULTS: Final[Mapping[str, Promise]] = {
    "name": _("Its name is not made of 1 to 128 letters, digits, _, . and -, or its URI is none."),
    "duplicate": _("The backend has two of this name: nobody could say which one is called."),
    "too_large": _("It is larger than any model reads."),
    "shape": _("It lacks what MCP asks for, or has something of another type there."),
    "description": _("Its description is longer than %(bytes)s bytes."),
    "hidden_text": _("It has control characters or characters that a person does not see."),
    "schema": _("Its schema cannot be used."),
}


def look_fault_words(reason: str) -> str:
    """The words for a slug that only looks have; "" for one that calls have too."""
    return str(LOOK_FAULTS.get(reason, ""))


def fault_words(definition: Definition) -> str:
    """Why `definition` cannot be served; "" when it can."""
    words = str(FAULTS.get(definition.fault, definition.fault))
    if definition.fault == "schema":
        return f"{words} {schema_fault(definition.seen_value or {})}"
    return words % {"bytes": DESCRIPTION_MAX_BYTES} if definition.fault == "description" else words
