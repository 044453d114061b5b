"""Prompts of MCP servers behind this one."""

from proxy.entrypoints.mcp import features
from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.pages import answer_page
from proxy.entrypoints.mcp.relay import reply_of


async def list_prompts(exchange: Exchange) -> Reply:
    """The prompts whose permissions the caller's token has."""
    return await answer_page(exchange, "prompts", features.shown(exchange.caller, features.PROMPT))


async def get_prompt(exchange: Exchange) -> Reply:
    """A prompt with its arguments filled in.

    Raises:
        InvalidParams: there is no such prompt, or the arguments are no texts by name.
        Refusal, RpcError: as `reply_of`.
    """
    params = exchange.message.params
    feature = features.find(exchange.caller, features.PROMPT, params.get("name"))
    if feature is None:
        raise InvalidParams("params.name must be a prompt of this server; prompts/list has their names.")
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        raise InvalidParams("params.arguments must be an object of texts.")
    return await reply_of(exchange, feature, {"name": feature.upstream_name})
