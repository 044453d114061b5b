"""The revisions of the protocol: which one a request speaks, what it must say, and what its results look like.

2026-07-28 has no handshake: each request carries its version, in a header and in the body, and both must agree. The
earlier ones start with `initialize`, of which nothing is remembered here.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from proxy.entrypoints.mcp.errors import HeaderMismatch, InvalidParams, InvalidRequest, UnsupportedVersion
from proxy.entrypoints.mcp.messages import JsonObject, Message
from proxy.pipeline.call import RawHeaders

MODERN: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
SUPPORTED: Final = (MODERN, *HANDSHAKE)
# Whoever names none speaks the one that had no header yet
UNNAMED: Final = "2025-03-26"
VERSION_HEADER: Final = "mcp-protocol-version"
_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
# Of these methods a header repeats a parameter
_NAMED_BY: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ROUTING: Final = (VERSION_HEADER, "mcp-method", "mcp-name")
_ENCODED_START, _ENCODED_END = "=?base64?", "?="


@dataclass(frozen=True, slots=True)
class Revision:
    """One of them."""

    version: str

    @property
    def is_modern(self) -> bool:
        """Whether it is without a handshake."""
        return self.version == MODERN

    def complete(self, result: JsonObject) -> JsonObject:
        """A result as this revision marks it."""
        return {"resultType": "complete", **result} if self.is_modern else result

    def cacheable(self, result: JsonObject, *, ttl_ms: int) -> JsonObject:
        """A result that one caller may keep for a while, and nobody else."""
        return self.complete({**result, "ttlMs": ttl_ms, "cacheScope": "private"} if self.is_modern else result)


def revision_of(message: Message, headers: RawHeaders) -> Revision:
    """The revision that a message speaks.

    Raises:
        HeaderMismatch: its headers are missing, doubled or say something else than its body.
        InvalidParams: a modern request without what each must carry.
        UnsupportedVersion: nobody here speaks it.
    """
    found = _routing_headers(headers)
    named = found.get(VERSION_HEADER)
    if _VERSION_KEY in message.meta or (
        named is not None and named not in HANDSHAKE and message.method != "initialize"
    ):
        return _modern(message, found)
    return Revision(named or UNNAMED)


def _modern(message: Message, found: Mapping[str, str]) -> Revision:
    named = found.get(VERSION_HEADER)
    if message.request_id is None:
        # What headers a notification needs is not said; the version it names is (streamable HTTP, sending messages)
        return _spoken(named or MODERN)
    if missing := [key for key in (_VERSION_KEY, _CAPABILITIES_KEY) if key not in message.meta]:
        if named is not None and named not in SUPPORTED:
            return _spoken(named)
        raise InvalidParams(f"params._meta lacks {', '.join(missing)}.")
    version = message.meta[_VERSION_KEY]
    if named != version:
        raise HeaderMismatch("The header MCP-Protocol-Version must say what params._meta says.")
    if found.get("mcp-method") != message.method:
        raise HeaderMismatch("The header Mcp-Method must name the method of the body.")
    parameter = _NAMED_BY.get(message.method)
    if parameter and decoded(found.get("mcp-name")) != message.params.get(parameter):
        raise HeaderMismatch(f"The header Mcp-Name must say what params.{parameter} says.")
    return _spoken(version)


def _spoken(version: object) -> Revision:
    if version != MODERN:
        data = {"supported": list(SUPPORTED), "requested": version}
        raise UnsupportedVersion("This server does not speak that revision.", data=data)
    return Revision(MODERN)


def _routing_headers(headers: RawHeaders) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1")
        if name in _ROUTING:
            if name in found:
                raise InvalidRequest(f"Send the header {name} once.")
            found[name] = raw_value.decode("latin-1")
    return found


def decoded(value: str | None) -> str | None:
    """A header's value, of which everything but plain ASCII travels in base64."""
    if value is None or not (value.startswith(_ENCODED_START) and value.endswith(_ENCODED_END)):
        return value
    try:
        return base64.b64decode(value[len(_ENCODED_START) : -len(_ENCODED_END)], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
