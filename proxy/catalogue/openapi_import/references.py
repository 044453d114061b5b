"""What a document's references lead to: always another place of the same document."""

from typing import Any
from urllib.parse import unquote

from django.utils.translation import gettext as _

from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.tools import JsonObject

CHAIN_MAX = 20


class Source:
    """A document and ways to read it, whatever its author made of it."""

    def __init__(self, root: JsonObject) -> None:
        self.root = root
        self.is_3_0 = str(root.get("openapi", "")).startswith("3.0")

    def at(self, target: str) -> object:
        """What `target`, such as `#/components/schemas/Job`, points to (RFC 6901 section 6).

        Raises:
            BadDocument: it is in another document, or nowhere.
        """
        if target != "#" and not target.startswith("#/"):
            words = {"target": target[:200]}
            raise BadDocument(_("It refers to another document, %(target)s: bundle all of it into one first.") % words)
        node: object = self.root
        for token in unquote(target).split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(node):
                node = node[int(name[:9])]
            else:
                raise BadDocument(_("It refers to %(target)s, which is not there.") % {"target": target[:200]})
        return node

    def followed(self, node: object, *, where: str) -> JsonObject:
        """The object that `node` is or refers to; `where` is for the message.

        Raises:
            BadDocument: it is none, or is never reached.
        """
        for _step in range(CHAIN_MAX):
            if not isinstance(node, dict):
                break
            target = node.get("$ref")
            if not isinstance(target, str):
                return node
            node = self.at(target)
        raise BadDocument(_("%(where)s must be an object.") % {"where": where})


def objects(node: object, *, where: str) -> dict[str, Any]:
    """An object of the document, empty when it is missing.

    Raises:
        BadDocument: it is something else.
    """
    if node is None:
        return {}
    if not isinstance(node, dict):
        raise BadDocument(_("%(where)s must be an object.") % {"where": where})
    return node


def items(node: object, *, where: str) -> list[Any]:
    """A list of the document, empty when it is missing.

    Raises:
        BadDocument: it is something else.
    """
    if node is None:
        return []
    if not isinstance(node, list):
        raise BadDocument(_("%(where)s must be a list.") % {"where": where})
    return node


def text(node: object) -> str:
    """A text of the document, empty when it is missing or something else."""
    return node.strip() if isinstance(node, str) else ""
