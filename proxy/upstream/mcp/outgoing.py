"""A message to a backend: one body, and the headers that its revision wants beside it.

2026-07-28 says everything in each request, in the body and again in headers (streamable HTTP, sending messages); the
earlier revisions say it once, in `initialize`, and name a session from then on.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Final

from proxy.catalogue.tools import JsonObject
from proxy.upstream.transport import Headers

MODERN: Final = "2026-07-28"
# With `initialize`, the newest first
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
CLIENT_INFO: Final[JsonObject] = {"name": "gatehouse", "title": "Gatehouse", "version": "0.1.0"}
SESSION_HEADER: Final = "mcp-session-id"
VERSION_HEADER: Final = "mcp-protocol-version"
VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
INFO_KEY: Final = "io.modelcontextprotocol/clientInfo"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
# Of these methods a header repeats a parameter
_NAMED_BY: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ENCODED: Final = re.compile(r"\A=\?base64\?.*\?=\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it is posted; names of `headers` are in lower case."""

    headers: Headers
    body: bytes


def message(
    method: str,
    params: JsonObject | None = None,
    *,
    version: str,
    request_id: str | int | None = None,
    session_id: str = "",
    capabilities: JsonObject | None = None,
) -> Outgoing:
    """A request, or without `request_id` a notification, in the revision `version`.

    `session_id` counts before 2026-07-28, `capabilities` (what the client can do) from then on; what `params` has in
    `_meta` stays, but for what is said there of the client.
    """
    content, headers = dict(params or {}), dict[str, str]()
    if version == MODERN:
        given = content.get("_meta")
        client = {VERSION_KEY: version, INFO_KEY: CLIENT_INFO, CAPABILITIES_KEY: capabilities or {}}
        content["_meta"] = (given if isinstance(given, dict) else {}) | client
        headers = {VERSION_HEADER: version, "mcp-method": method}
        if method in _NAMED_BY:
            headers["mcp-name"] = header_text(str(content.get(_NAMED_BY[method], "")))
    elif method != "initialize":
        headers = {VERSION_HEADER: version} | ({SESSION_HEADER: session_id} if session_id else {})
    document: JsonObject = {"jsonrpc": "2.0", "method": method}
    document |= {} if request_id is None else {"id": request_id}
    document |= {"params": content} if content else {}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Outgoing((*_shared(body), *headers.items()), body)


def posted(document: JsonObject, *, version: str, session_id: str = "") -> Outgoing:
    """A notification, or an answer to what the backend asked, as it came; only before 2026-07-28 there are answers."""
    body = json.dumps({"jsonrpc": "2.0", **document}, ensure_ascii=False, separators=(",", ":")).encode()
    session = ((SESSION_HEADER, session_id),) if session_id else ()
    return Outgoing((*_shared(body), (VERSION_HEADER, version), *session), body)


def end_of_session(session_id: str, *, version: str) -> Headers:
    """The headers of the DELETE that ends a session (2025-11-25, streamable HTTP, session management)."""
    return ((VERSION_HEADER, version), (SESSION_HEADER, session_id))


def server_stream(session_id: str, *, version: str, after: str = "") -> Headers:
    """The headers of the GET that listens to a session (2025-11-25, streamable HTTP, listening for messages).

    `after`: the id of the last event of a stream that ended, whose rest is wanted.
    """
    return (
        ("accept", "text/event-stream"),
        ("accept-encoding", "identity"),
        *end_of_session(session_id, version=version),
        *((("last-event-id", after),) if after else ()),
    )


def header_text(value: str) -> str:
    """`value` as a header says it: what is not plain ASCII travels in base64 (2026-07-28, streamable HTTP)."""
    is_plain = value.isascii() and value.isprintable() and value == value.strip()
    if is_plain and not _ENCODED.match(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="


def _shared(body: bytes) -> Headers:
    return (
        ("accept", "application/json, text/event-stream"),
        # What is compressed would have to be opened before it can be judged
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    )
