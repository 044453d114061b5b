"""What a server says of itself, before and after 2026-07-28."""

from collections.abc import Collection
from importlib import metadata
from typing import Final

from proxy.catalogue.plans import ServerPlan
from proxy.entrypoints.mcp.caller import Caller, Reply
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.pages import TTL_MS
from proxy.entrypoints.mcp.revisions import HANDSHAKE, MODERN, SUPPORTED
from proxy.entrypoints.mcp.session import Session

# What a server may say outside of a call: in a session, and to who listens without one (2025-11-25, lifecycle)
_ANNOUNCED: Final = ("tools.listChanged", "prompts.listChanged", "resources.listChanged", "resources.subscribe")


async def discover(exchange: Exchange) -> Reply:
    """`server/discover` (2026-07-28): what the server speaks and offers."""
    server = exchange.server
    offered = capabilities(exchange.caller, announces=announced_now(exchange.caller))
    found: JsonObject = {"supportedVersions": list(SUPPORTED), "capabilities": offered}
    result = found | _instructions(server) | {"_meta": {"io.modelcontextprotocol/serverInfo": _info(server)}}
    return await exchange.answered(exchange.revision.cacheable(result, ttl_ms=TTL_MS))


def initialized(exchange: Exchange, *, session: Session | None = None) -> JsonObject:
    """The result of `initialize` (before 2026-07-28), which agrees on a revision and may begin a session.

    Raises:
        InvalidParams: the client names none.
    """
    asked = exchange.message.params.get("protocolVersion")
    if not isinstance(asked, str):
        raise InvalidParams("params.protocolVersion must name a revision.")
    result: JsonObject = {
        "protocolVersion": asked if asked in HANDSHAKE else HANDSHAKE[0],
        "capabilities": capabilities(exchange.caller, session=session, announces=session.announces if session else ()),
        "serverInfo": _info(exchange.server),
    }
    return result | _instructions(exchange.server)


async def ping(exchange: Exchange) -> Reply:
    """`ping` (before 2026-07-28)."""
    return await exchange.answered({})


def capabilities(
    caller: Caller, *, session: Session | None = None, announces: Collection[str] = ()
) -> JsonObject:  # fmt: skip
    """What the server has, and what it `announces`. Tools always: staff may add the first one at any time."""
    server, features = caller.server, caller.server.features
    has_resources = bool(server.own_resources or features.get("resource") or features.get("resource_template"))
    offered = _offered(caller, has_session=session is not None)
    subscribable = {"subscribe": True} if "resources.subscribe" in announces else {}
    return {
        "tools": _list("tools", announces),
        **({"prompts": _list("prompts", announces)} if features.get("prompt") else {}),
        **({"resources": _list("resources", announces) | subscribable} if has_resources else {}),
        **({"completions": {}} if "completions" in offered else {}),
        **({"logging": {}} if "logging" in offered else {}),
    }


def announced(found: JsonObject) -> list[str]:
    """What the capabilities `found` of a server say that it announces."""
    return [name for name in _ANNOUNCED if has(found, name)]


def announced_now(caller: Caller) -> list[str]:
    """What a client without a handshake may have announced: what the one server behind says, if that has none either.

    A server of several has no stream to listen to.
    """
    backend = caller.snapshot.backends.get(caller.server.backend)
    if backend is None or backend.mcp is None or backend.mcp.protocol_version != MODERN:
        return []
    return announced(backend.mcp.capabilities)


def has(found: JsonObject, capability: str) -> bool:
    """Whether the capabilities `found` have one; of `resources.subscribe` the second name is a member of the first."""
    name, _dot, member = capability.partition(".")
    value = found.get(name)
    return isinstance(value, dict) and (not member or value.get(member) is True)


def _list(name: str, announces: Collection[str]) -> JsonObject:
    return {"listChanged": f"{name}.listChanged" in announces}


def _offered(caller: Caller, *, has_session: bool) -> frozenset[str]:
    """What the servers behind this one can do that this one can pass on."""
    server, backends = caller.server, caller.snapshot.backends
    completed = [server.features.get(kind, {}).values() for kind in ("prompt", "resource_template")]
    named = {plan.backend for plans in completed for plan in plans}
    facts = [plan.mcp for name in named if (plan := backends.get(name)) and plan.mcp]
    offered = {"completions"} if any("completions" in each.capabilities for each in facts) else set()
    own = backends.get(server.backend)
    # A level is of a session
    if has_session and own and own.mcp and "logging" in own.mcp.capabilities:
        offered.add("logging")
    return frozenset(offered)


def _info(server: ServerPlan) -> JsonObject:
    return {"name": server.name, "title": server.title, "version": _version()}


def _version() -> str:
    try:
        return metadata.version("gatehouse")
    except metadata.PackageNotFoundError:
        return "0.1.0"


def _instructions(server: ServerPlan) -> JsonObject:
    return {"instructions": server.instructions} if server.instructions else {}
