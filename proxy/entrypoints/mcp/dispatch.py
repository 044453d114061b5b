"""Which method is whose: the protocol on one screen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.completions import complete
from proxy.entrypoints.mcp.discovery import capabilities, discover, has, ping
from proxy.entrypoints.mcp.errors import MethodNotFound
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.prompts import get_prompt, list_prompts
from proxy.entrypoints.mcp.resources import list_resources, list_templates, read_resource, subscribe
from proxy.entrypoints.mcp.sessions import initialize, set_level, take
from proxy.entrypoints.mcp.subscriptions import listen
from proxy.entrypoints.mcp.tools import call_tool, list_tools

# What a revision may be: without a handshake (2026-07-28), or with one
MODERN, HANDSHAKE = frozenset({True}), frozenset({False})
EVERY = MODERN | HANDSHAKE


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
    "prompts/get": Method(get_prompt, capability="prompts"),
    "resources/list": Method(list_resources, capability="resources"),
    "resources/templates/list": Method(list_templates, capability="resources"),
    "resources/read": Method(read_resource, capability="resources"),
    "resources/subscribe": Method(subscribe, HANDSHAKE, capability="resources.subscribe"),
    "resources/unsubscribe": Method(subscribe, HANDSHAKE, capability="resources.subscribe"),
    "completion/complete": Method(complete, capability="completions"),
    "subscriptions/listen": Method(listen, MODERN),
    "logging/setLevel": Method(set_level, HANDSHAKE, capability="logging"),
}


async def dispatch(exchange: Exchange) -> Reply:
    """The reply to one message.

    Raises:
        MethodNotFound: this server has no such method in that revision.
        RpcError, Refusal: whatever the method says.
    """
    message = exchange.message
    if message.request_id is None:
        return await take(exchange)
    method = METHODS.get(message.method)
    if (
        method is None
        or exchange.revision.is_modern not in method.revisions
        or (method.capability and not has(_capabilities(exchange), method.capability))
    ):
        raise MethodNotFound(f"This server has no method {message.method[:100]!r}.")
    return await method.answer(exchange)


def _capabilities(exchange: Exchange) -> JsonObject:
    session = exchange.session
    return capabilities(exchange.caller, session=session, announces=session.announces if session else ())
