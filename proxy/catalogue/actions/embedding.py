"""A schema inside an OpenAPI document: what refers to the schema's own root must find it there."""

from typing import Any, Final

from proxy.catalogue.tools import JsonObject

# Each gives a schema, or a part of it, an address of its own
_ADDRESSES: Final = frozenset({"$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef"})


class NotEmbeddable(Exception):
    """The schema has an address of its own; the message is the keyword that gives it."""


class Components:
    """`components/schemas` of a document: schemas that refer to themselves, each under a name."""

    def __init__(self) -> None:
        self.schemas: JsonObject = {}

    def embed(self, schema: JsonObject, *, name: str) -> JsonObject:
        """What stands for `schema` where it is used: itself, or a reference to the component `name`.

        A reference `#/…` counts from the root of the document (OpenAPI 3.1 section 4.6), so that a schema with one
        becomes a component as a whole, and every reference is led there.

        Raises:
            NotEmbeddable: it has an address of its own.
        """
        if not _mentions(schema):
            return {key: value for key, value in schema.items() if key != "$schema"}
        root = f"#/components/schemas/{name}"
        self.schemas[name] = _led(schema, root)
        return {"$ref": root}


def _mentions(node: object) -> bool:
    if isinstance(node, dict):
        if found := _ADDRESSES & node.keys():
            raise NotEmbeddable(min(found))
        # Every part is looked at: an address may stand behind a reference
        return bool([True for value in node.values() if _mentions(value)]) or "$ref" in node
    return isinstance(node, list) and bool([True for value in node if _mentions(value)])


def _led(node: Any, root: str) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(node, list):
        return [_led(value, root) for value in node]
    if not isinstance(node, dict):
        return node
    led = {key: _led(value, root) for key, value in node.items() if key != "$schema"}
    target = node.get("$ref")
    if isinstance(target, str):
        if target != "#" and not target.startswith("#/"):
            raise NotEmbeddable("$anchor")
        led["$ref"] = root + target[1:]
    return led
