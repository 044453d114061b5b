"""Which method is whose: the protocol on one screen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.entrypoints.mcp.discovery import capabilities, discover, initialize, ping
from proxy.entrypoints.mcp.errors import MethodNotFound
from proxy.entrypoints.mcp.exchange import Exchange, Reply
from proxy.entrypoints.mcp.prompts import list_prompts
from proxy.entrypoints.mcp.resources import list_resources, list_templates, read_resource
from proxy.entrypoints.mcp.tools import call_tool, list_tools

# What a revision may be: without a handshake (2026-07-28), or with one
MODERN, HANDSHAKE = frozenset({True}), frozenset({False})
EVERY = MODERN | HANDSHAKE
# Those that clients of some revision send; the ledger knows no other by name
NOTIFICATIONS: Final = frozenset({
    "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "notifications/roots/list_changed",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the protocol, in which revisions there is one, and the capability a server needs to have it."""

    answer: Callable[[Exchange], Awaitable[Reply]]
    revisions: frozenset[bool] = EVERY
    capability: str = ""


METHODS: Final[Mapping[str, Method]] = {
    "server/discover": Method(discover, MODERN),
    "initialize": Method(initialize, HANDSHAKE),
    "ping": Method(ping, HANDSHAKE),
    "tools/list": Method(list_tools),
    "tools/call": Method(call_tool),
    "prompts/list": Method(list_prompts, capability="prompts"),
    "resources/list": Method(list_resources, capability="resources"),
    "resources/templates/list": Method(list_templates, capability="resources"),
    "resources/read": Method(read_resource, capability="resources"),
}


async def dispatch(exchange: Exchange) -> Reply:
    """The reply to one message.

    Raises:
        MethodNotFound: this server has no such method in that revision.
        RpcError, Refusal: whatever the method says.
    """
    message = exchange.message
    if message.request_id is None:
        # A notification, or an answer to what nobody asked: taken, and nothing follows
        exchange.record.asked = message.method if message.method in NOTIFICATIONS else ""
        limits = await exchange.counted()
        await exchange.record.answered()
        return Reply(None, status=202, headers=limits)
    method = METHODS.get(message.method)
    if (
        method is None
        or exchange.revision.is_modern not in method.revisions
        or (method.capability and method.capability not in capabilities(exchange.server))
    ):
        raise MethodNotFound(f"This server has no method {message.method[:100]!r}.")
    return await method.answer(exchange)
