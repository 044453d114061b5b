"""Ask an MCP backend what it offers: all of its lists, page by page, and no further than anybody needs."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from proxy.catalogue.mcp_backends.content import DEFINITIONS_MAX, Look, found_of
from proxy.catalogue.mcp_backends.features import PROMPT, RESOURCE, RESOURCE_TEMPLATE, TOOL
from proxy.catalogue.mcp_backends.hidden_text import without_hidden
from proxy.catalogue.plans import BackendPlan, McpFacts
from proxy.catalogue.tools import JsonObject
from proxy.upstream.mcp.conversation import Conversation, Negotiated
from proxy.upstream.mcp.faults import AnswerTooLarge, BadAnswer, RpcFault
from proxy.upstream.transport import Transport

WITHIN_S: Final = 5.0
PAGES_MAX: Final = 200
CURSOR_MAX: Final = 4_096
# Of all definitions together, as they are kept
TEXT_MAX: Final = 33_554_432
INSTRUCTIONS_MAX: Final = 2_000
METHOD_NOT_FOUND: Final = -32601
# Kind of feature, method, its list in the result, and the capability that says that there is one
LISTS: Final = (
    (TOOL, "tools/list", "tools", "tools"),
    (PROMPT, "prompts/list", "prompts", "prompts"),
    (RESOURCE, "resources/list", "resources", "resources"),
    (RESOURCE_TEMPLATE, "resources/templates/list", "resourceTemplates", "resources"),
)
# Of a capability nothing but whether it is there and its switches
_CAPABILITIES: Final = ("tools", "prompts", "resources", "completions", "logging")
_SWITCH: Final = re.compile(r"\A[A-Za-z]{1,40}\Z")


async def look(backend: BackendPlan, transport: Transport, *, within_s: float = WITHIN_S) -> Look:
    """All that `backend` offers, asked as calls are made: past the same guard, with the same TLS and credentials.

    Raises:
        McpFault: it does not speak MCP, or says more than can be believed.
        Refusal: it cannot be reached, or did not answer within `within_s` seconds.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    conversation = Conversation(backend, transport, deadline=deadline)
    try:
        known = await conversation.open()
        found, unnamed, size = [], 0, 0
        for feature, method, key, capability in LISTS:
            if capability not in known.capabilities:
                continue
            number = 0
            async for value in _listed(conversation, method, key):
                number += 1
                kept = found_of(feature, value)
                size += len(kept.text) if kept else 0
                if number > DEFINITIONS_MAX or size > TEXT_MAX:
                    raise AnswerTooLarge
                found += [kept] if kept else []
                unnamed += 0 if kept else 1
    finally:
        await conversation.close()
    name, version = (_shown(known.server_info.get(key)) for key in ("name", "version"))
    return Look(_facts(known), name[:100], version[:50], tuple(found), unnamed)


async def _listed(conversation: Conversation, method: str, key: str) -> AsyncIterator[object]:
    cursors: set[str] = set()
    params: JsonObject = {}
    for _page in range(PAGES_MAX):
        try:
            result = await conversation.ask(method, params)
        except RpcFault as fault:
            if fault.code == METHOD_NOT_FOUND and not cursors:
                # Many servers with resources have no templates, and no method for them
                return
            raise
        page, cursor = result.get(key), result.get("nextCursor")
        if not isinstance(page, list):
            raise BadAnswer
        for value in page:
            yield value
        if cursor is None:
            return
        if not isinstance(cursor, str) or len(cursor) > CURSOR_MAX or cursor in cursors:
            raise BadAnswer
        cursors.add(cursor)
        params = {"cursor": cursor}
    raise AnswerTooLarge


def _facts(known: Negotiated) -> McpFacts:
    capabilities: JsonObject = {}
    for name in _CAPABILITIES:
        found = known.capabilities.get(name)
        if isinstance(found, dict):
            capabilities[name] = {
                key: value for key, value in found.items() if isinstance(value, bool) and _SWITCH.match(key)
            }
    return McpFacts(known.version, capabilities, _shown(known.instructions)[:INSTRUCTIONS_MAX])


def _shown(value: object) -> str:
    return without_hidden(value) if isinstance(value, str) else ""
