"""What a server says of itself, before and after 2026-07-28."""

from importlib import metadata
from typing import Final

from proxy.catalogue.plans import ServerPlan
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange, Reply
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.pages import TTL_MS
from proxy.entrypoints.mcp.revisions import HANDSHAKE, SUPPORTED

_UNCHANGING: Final[JsonObject] = {"listChanged": False}


async def discover(exchange: Exchange) -> Reply:
    """`server/discover` (2026-07-28): what the server speaks and offers."""
    server = exchange.server
    found: JsonObject = {"supportedVersions": list(SUPPORTED), "capabilities": capabilities(server)}
    result = found | _instructions(server) | {"_meta": {"io.modelcontextprotocol/serverInfo": _info(server)}}
    return await exchange.answered(exchange.revision.cacheable(result, ttl_ms=TTL_MS))


async def initialize(exchange: Exchange) -> Reply:
    """`initialize` (before 2026-07-28): agree on a revision; nothing of it is remembered.

    Raises:
        InvalidParams: it names no revision.
    """
    server, asked = exchange.server, exchange.message.params.get("protocolVersion")
    if not isinstance(asked, str):
        raise InvalidParams("params.protocolVersion must name a revision.")
    version = asked if asked in HANDSHAKE else HANDSHAKE[0]
    answer: JsonObject = {
        "protocolVersion": version,
        "capabilities": capabilities(server),
        "serverInfo": _info(server),
    }
    return await exchange.answered(answer | _instructions(server))


async def ping(exchange: Exchange) -> Reply:
    """`ping` (before 2026-07-28)."""
    return await exchange.answered({})


def capabilities(server: ServerPlan) -> JsonObject:
    """What the server has. Tools always: staff may add the first one while clients are connected."""
    features = server.features
    has_resources = bool(server.own_resources or features.get("resource") or features.get("resource_template"))
    can_complete = bool(features.get("prompt") or features.get("resource_template"))
    return {
        "tools": _UNCHANGING,
        **({"prompts": _UNCHANGING} if features.get("prompt") else {}),
        **({"resources": _UNCHANGING} if has_resources else {}),
        **({"completions": {}} if can_complete else {}),
    }


def _info(server: ServerPlan) -> JsonObject:
    return {"name": "gatehouse", "title": server.title, "version": _version()}


def _version() -> str:
    try:
        return metadata.version("gatehouse")
    except metadata.PackageNotFoundError:
        return "0.1.0"


def _instructions(server: ServerPlan) -> JsonObject:
    return {"instructions": server.instructions} if server.instructions else {}
