"""The methods a server answers itself: who it is and which tools the caller may use."""

import base64
import binascii
import json
from importlib import metadata
from typing import Final

from oauth_provider.strict_json import loads
from proxy.catalogue.plans import ServerPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.messages import JsonObject, Message
from proxy.entrypoints.mcp.revisions import HANDSHAKE, SUPPORTED, Revision
from proxy.pipeline.call import Principal

PAGE: Final = 200
# A change of the catalogue is seen by a client that keeps its list for so long
TTL_MS: Final = 60_000
# Those that clients of some revision send; the ledger knows no other by name
NOTIFICATIONS: Final = frozenset({
    "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "notifications/roots/list_changed",
})  # fmt: skip
_CAPABILITIES: Final[JsonObject] = {"tools": {"listChanged": False}}


def discover(server: ServerPlan, revision: Revision) -> JsonObject:
    """`server/discover` (2026-07-28): what the server speaks and offers."""
    found: JsonObject = {"supportedVersions": list(SUPPORTED), "capabilities": _CAPABILITIES}
    result = found | _instructions(server) | {"_meta": {"io.modelcontextprotocol/serverInfo": _info(server)}}
    return revision.cacheable(result, ttl_ms=TTL_MS)


def initialize(server: ServerPlan, message: Message) -> JsonObject:
    """`initialize` (before 2026-07-28): agree on a revision; nothing of it is remembered.

    Raises:
        InvalidParams: it names no revision.
    """
    asked = message.params.get("protocolVersion")
    if not isinstance(asked, str):
        raise InvalidParams("params.protocolVersion must name a revision.")
    version = asked if asked in HANDSHAKE else HANDSHAKE[0]
    answer: JsonObject = {"protocolVersion": version, "capabilities": _CAPABILITIES, "serverInfo": _info(server)}
    return answer | _instructions(server)


def list_tools(
    server: ServerPlan, message: Message, revision: Revision, *, principal: Principal, snapshot: Snapshot
) -> JsonObject:
    """`tools/list`: the tools whose permissions the caller's token has, in the order of their names, page by page.

    Raises:
        InvalidParams: the cursor is none of ours.
    """
    held = principal.scopes & snapshot.enabled_scopes
    after = _position(message.params.get("cursor"))
    usable = [plan for name, plan in server.tools.items() if name > after and plan.operation.scope_set <= held]
    page = usable[:PAGE]
    result: JsonObject = {"tools": [plan.tool.descriptor for plan in page]}
    if len(usable) > PAGE:
        result["nextCursor"] = _cursor(page[-1].tool.row.name)
    return revision.cacheable(result, ttl_ms=TTL_MS)


def _info(server: ServerPlan) -> JsonObject:
    return {"name": "gatehouse", "title": server.title, "version": _version()}


def _version() -> str:
    try:
        return metadata.version("gatehouse")
    except metadata.PackageNotFoundError:
        return "0.1.0"


def _instructions(server: ServerPlan) -> JsonObject:
    return {"instructions": server.instructions} if server.instructions else {}


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([name]).encode()).decode()


def _position(cursor: object) -> str:
    if cursor is None:
        return ""
    try:
        found = loads(base64.urlsafe_b64decode(str(cursor)))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        raise InvalidParams("params.cursor must be the nextCursor of an earlier page.")
    return found[0]
