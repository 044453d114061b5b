"""`tools/list` and `tools/call`: operations of this gateway and tools of MCP servers behind it, under one roof."""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter

from proxy.entrypoints.mcp import features
from proxy.entrypoints.mcp.arguments import BadArguments, check, to_http
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Caller, Exchange, Reply
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.pages import page
from proxy.entrypoints.mcp.results import challenged, failed, refused
from proxy.entrypoints.mcp.tool_call import call_operation
from proxy.pipeline.call import Headers, RawHeaders
from proxy.refusals import (
    AuditUnavailable,
    BadRequest,
    InsufficientScope,
    Refusal,
    RevocationsUnknown,
    Unauthenticated,
)

# Refusals that a client answers by itself, so they keep their status; all others are for the model to read
_HTTP = (Unauthenticated, AuditUnavailable, RevocationsUnknown)


async def list_tools(exchange: Exchange) -> Reply:
    """The tools whose permissions the caller's token has."""
    caller = exchange.caller
    found = merge(_own(caller), features.shown(caller, features.TOOL), key=itemgetter(0))
    return await exchange.answered(page(exchange, "tools", found))


async def call_tool(exchange: Exchange) -> Reply:
    """The result of a tool. What goes wrong is a result too, for the model to read, where no client can mend it.

    Raises:
        InvalidParams: there is no such tool.
        Unauthenticated, InsufficientScope, AuditUnavailable, RevocationsUnknown: see there.
    """
    params = exchange.message.params
    name, arguments = params.get("name"), params.get("arguments", {})
    plan = exchange.server.tools.get(name) if isinstance(name, str) else None
    if plan is None:
        raise InvalidParams("params.name must be a tool of this server; tools/list has their names.")
    if not isinstance(arguments, dict):
        raise InvalidParams("params.arguments must be an object.")
    try:
        check(plan.tool, arguments)
        call = to_http(plan, arguments)
    except BadArguments as fault:
        exchange.record.operation = plan.operation
        limits = await exchange.counted()
        await exchange.record.refused(BadRequest(reason="tool_arguments"))
        return _complete(exchange, failed(str(fault)), limits)
    try:
        result, answer = await call_operation(exchange, plan, call)
    except InsufficientScope as refusal:
        if _reads_challenges_in_results(exchange.caller.received.headers):
            return _complete(exchange, challenged(refusal))
        raise
    except _HTTP:
        raise
    except Refusal as refusal:
        return _complete(exchange, refused(refusal), _limit_headers(refusal.headers))
    return _complete(exchange, result, _limit_headers(answer.headers))


def _own(caller: Caller) -> Iterator[tuple[str, JsonObject]]:
    for name, plan in caller.server.tools.items():
        if plan.operation.scope_set <= caller.held:
            yield name, plan.tool.descriptor


def _complete(exchange: Exchange, result: JsonObject, headers: Headers = ()) -> Reply:
    return exchange.result(exchange.revision.complete(result), headers=headers)


def _reads_challenges_in_results(headers: RawHeaders) -> bool:
    # ChatGPT asks for more permissions after a result that says so, all other clients after a 403
    return any(name == b"user-agent" and value.startswith(b"openai-mcp") for name, value in headers)


def _limit_headers(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if name in {"ratelimit", "ratelimit-policy", "retry-after"})
