"""One JSON-RPC message in a body: a request, a notification, or a response to something we never asked."""

import json
from dataclasses import dataclass
from typing import Any, Final

from oauth_provider.strict_json import loads
from proxy.entrypoints.mcp.errors import InvalidRequest, ParseError

JsonObject = dict[str, Any]
RequestId = str | int
# What a server says when its lists are other ones
LIST_CHANGED: Final = frozenset(f"notifications/{name}/list_changed" for name in ("tools", "prompts", "resources"))


@dataclass(frozen=True, slots=True)
class Message:
    """`request_id` is None for what wants no answer; a `response` has no method."""

    method: str
    params: JsonObject
    request_id: RequestId | None
    response: JsonObject | None = None

    @property
    def meta(self) -> JsonObject:
        """What the client says about the request itself."""
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


def parse(content: bytes) -> Message:
    """The message of a body.

    Raises:
        ParseError: no JSON, or a name twice in one object.
        InvalidRequest: a batch (which no revision but 2025-03-26 has), or no message at all.
    """
    try:
        document = loads(content)
        if b"\\u" in content:
            # Half of a pair is no character (RFC 8259 section 8.2); only an escape can smuggle one in
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except ValueError:
        raise ParseError("The body is not JSON that can be read in one way.") from None
    if isinstance(document, list):
        raise InvalidRequest("Send one message in a body; batches are not taken.")
    if not isinstance(document, dict) or document.get("jsonrpc") != "2.0":
        raise InvalidRequest('The body must be one object with "jsonrpc": "2.0".')
    if "method" not in document and ("result" in document or "error" in document):
        response = {name: document[name] for name in ("id", "result", "error") if name in document}
        return Message(method="", params={}, request_id=None, response=response)
    method, params = document.get("method"), document.get("params", {})
    if not isinstance(method, str) or not isinstance(params, dict):
        raise InvalidRequest("method must be a text, and params an object.")
    return Message(method=method, params=params, request_id=_request_id(document))


def request_id_of(content: bytes) -> RequestId | None:
    """The id of a message that was refused as a whole, so that its sender knows which one."""
    try:
        document = loads(content)
        return _request_id(document) if isinstance(document, dict) else None
    except (ValueError, InvalidRequest):
        return None


def _request_id(document: JsonObject) -> RequestId | None:
    if "id" not in document:
        return None
    request_id: RequestId = document["id"]
    # JSON-RPC would take null and fractions; MCP does not
    if isinstance(request_id, bool) or not isinstance(request_id, str | int):
        raise InvalidRequest("id must be a text or a whole number.")
    return request_id
