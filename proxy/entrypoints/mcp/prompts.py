"""Prompts of MCP servers behind this one."""

from proxy.entrypoints.mcp import features
from proxy.entrypoints.mcp.exchange import Exchange, Reply
from proxy.entrypoints.mcp.pages import page


async def list_prompts(exchange: Exchange) -> Reply:
    """The prompts whose permissions the caller's token has."""
    return await exchange.answered(page(exchange, "prompts", features.shown(exchange.caller, features.PROMPT)))
