"""What comes back from MCP servers behind this one: results as they are, errors without what is not for clients."""

import json
import re
from typing import Final

from proxy.entrypoints.mcp.errors import RpcError
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.pages import TTL_MS
from proxy.entrypoints.mcp.revisions import Revision
from proxy.refusals import BackendNonsense

MESSAGE_MAX: Final = 500
DATA_MAX_BYTES: Final = 4096
MISSING_CAPABILITY: Final = -32021
# Between this gateway and the server behind it: a client would change its own ways for nothing
_HOP: Final = frozenset({-32020, -32022})
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://\S+")
# Without which a client's library takes a result for none
_MEMBERS: Final = {
    "tools/call": ("content", list),
    "prompts/get": ("messages", list),
    "resources/read": ("contents", list),
    "completion/complete": ("completion", dict),
}
# A client would sign in by it, wherever it leads (OpenAI's Apps SDK)
_CHALLENGE: Final = "mcp/www_authenticate"
_MODERN_ONLY: Final = ("resultType", "ttlMs", "cacheScope")
INPUT_REQUIRED: Final = "input_required"


class UpstreamError(RpcError):
    """The server behind this one answered with an error: its code, and its words without addresses."""

    reason = "mcp_error"
    handshake_status = 200

    def __init__(self, code: int, message: str, *, data: object = None) -> None:
        super().__init__(message, data=data)
        self.code = code
        # 2026-07-28, streamable HTTP: the one error of a method with a status of its own
        self.status = 400 if code == MISSING_CAPABILITY else 200


def result_of(document: JsonObject, *, method: str, revision: Revision) -> JsonObject:
    """The result of a response to `method`, as the client's revision has it.

    Raises:
        UpstreamError: it is an error.
        BackendNonsense: it is neither, or an error that concerns the gateway alone.
    """
    result, error = document.get("result"), document.get("error")
    if isinstance(result, dict) and error is None:
        return _shaped(_without_challenge(result), method, revision)
    code = error.get("code") if isinstance(error, dict) and result is None else None
    if not isinstance(error, dict) or isinstance(code, bool) or not isinstance(code, int) or code in _HOP:
        raise BackendNonsense(reason="mcp_unreadable")
    words = _ADDRESS.sub("[address]", str(error.get("message", "")))[:MESSAGE_MAX]
    raise UpstreamError(code, words, data=_shown(error.get("data")))


def _without_challenge(result: JsonObject) -> JsonObject:
    meta = result.get("_meta")
    if not isinstance(meta, dict) or _CHALLENGE not in meta:
        return result
    return result | {"_meta": {name: value for name, value in meta.items() if name != _CHALLENGE}}


def _shaped(result: JsonObject, method: str, revision: Revision) -> JsonObject:
    kind, (member, of) = result.get("resultType", "complete"), _MEMBERS.get(method, ("", object))
    if kind == INPUT_REQUIRED and revision.is_modern:
        # Its rounds are the client's and the server's (2026-07-28, multi round-trip requests)
        return result
    if kind != "complete" or not isinstance(result.get(member), of):
        raise BackendNonsense(reason="mcp_unreadable")
    plain = {name: value for name, value in result.items() if name not in _MODERN_ONLY}
    if method == "resources/read":
        ttl_ms = result.get("ttlMs")
        return revision.cacheable(plain, ttl_ms=min(ttl_ms, TTL_MS) if isinstance(ttl_ms, int) and ttl_ms > 0 else 0)
    return revision.complete(plain)


def _shown(data: object) -> object:
    if data is None or len(text := json.dumps(data)) > DATA_MAX_BYTES or _ADDRESS.search(text):
        return None
    return data
