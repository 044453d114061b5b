"""From the bytes of an OpenAPI document to its values, which everybody reads the same way."""

import math
from typing import Final

from django.utils.translation import gettext as _

from oauth_provider.strict_json import loads
from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.openapi_import.yaml_values import DEPTH_MAX, VALUES_MAX, yaml_value
from proxy.catalogue.tools import JsonObject

MAX_BYTES: Final = 10_000_000
VERSIONS: Final = ("3.0", "3.1")


def read_document(content: bytes) -> JsonObject:
    """The document in `content`, JSON or YAML, UTF-8.

    Raises:
        BadDocument: it is neither, has more than one reading, is too large, or is no OpenAPI 3.0 or 3.1.
    """
    if len(content) > MAX_BYTES:
        raise BadDocument(_("The document has more than %(most)d bytes.") % {"most": MAX_BYTES})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadDocument(_("The document is not UTF-8.")) from None
    document = _json(text) if text.lstrip().startswith("{") else yaml_value(text)
    _check_values(document)
    if not isinstance(document, dict) or not isinstance(document.get("paths", {}), dict):
        raise BadDocument(_("This is no OpenAPI document: it is an object with openapi and paths."))
    if "swagger" in document:
        raise BadDocument(_("This is Swagger 2.0; OpenAPI 3.0 and 3.1 are read. Convert it first."))
    if ".".join(str(document.get("openapi", "")).split(".")[:2]) not in VERSIONS:
        raise BadDocument(_("OpenAPI 3.0 and 3.1 are read; this says %(version)s.") % {
            "version": str(document.get("openapi", _("nothing")))[:20]
        })  # fmt: skip
    return document


def _json(text: str) -> object:
    try:
        return loads(text.encode())
    except ValueError as fault:
        raise BadDocument(
            _("This is no JSON that has one reading only: %(fault)s") % {"fault": str(fault)[:200]}
        ) from None


def _check_values(document: object) -> None:
    # A stack, not recursion: the nesting is whatever was sent
    waiting, number = [(document, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        number += 1
        if depth > DEPTH_MAX or number > VALUES_MAX:
            raise BadDocument(_("The document is nested too deeply or has too many values."))
        if isinstance(value, dict):
            waiting.extend((each, depth + 1) for pair in value.items() for each in pair)
        elif isinstance(value, list):
            waiting.extend((each, depth + 1) for each in value)
        elif isinstance(value, str) and not _storable(value):
            raise BadDocument(
                _("A text of the document has a NUL or half a character: %(text)r") % {"text": value[:50]}
            )
        elif isinstance(value, float) and not math.isfinite(value):
            raise BadDocument(_("A number of the document is infinite."))


def _storable(text: str) -> bool:
    # PostgreSQL keeps neither
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
