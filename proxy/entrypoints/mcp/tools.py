"""`tools/list` and `tools/call`: operations of this gateway and tools of MCP servers behind it, under one roof."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from proxy.catalogue.plans import FeaturePlan
from proxy.entrypoints.mcp import features
from proxy.entrypoints.mcp.arguments import BadArguments, check, to_http
from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.inner_call import limit_headers
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.pages import answer_page
from proxy.entrypoints.mcp.param_headers import check_param_headers, param_headers
from proxy.entrypoints.mcp.relay import FOR_CLIENTS, relay
from proxy.entrypoints.mcp.results import challenged, failed, words_of
from proxy.entrypoints.mcp.tool_call import call_operation
from proxy.entrypoints.mcp.upstream_answers import INPUT_REQUIRED
from proxy.pipeline.call import Answer, Headers
from proxy.refusals import BadRequest, InsufficientScope, Refusal
from proxy.upstream.mcp.outgoing import INFO_KEY

_CHATGPT: Final = "openai-mcp"
Call = Callable[[], Awaitable[tuple[JsonObject, Answer]]]


async def list_tools(exchange: Exchange) -> Reply:
    """The tools whose permissions the caller's token has."""
    return await answer_page(exchange, "tools", exchange.server.tools_for(exchange.caller.held))


async def call_tool(exchange: Exchange) -> Reply:
    """The result of a tool. What goes wrong is a result too, for the model to read, where no client can mend it.

    Raises:
        InvalidParams: there is no such tool.
        Unauthenticated, InsufficientScope, AuditUnavailable, RevocationsUnknown, SessionOver: see there.
        RpcError: the server behind this one answers with an error.
    """
    try:
        call = _call(exchange)
    except BadArguments as fault:
        limits = await exchange.counted()
        await exchange.record.refused(BadRequest(reason="tool_arguments"))
        return _complete(exchange, failed(str(fault)), limits)
    try:
        result, answer = await call()
    except InsufficientScope as refusal:
        if _reads_challenges_in_results(exchange):
            return _complete(exchange, challenged(refusal))
        raise
    except FOR_CLIENTS:
        raise
    except Refusal as refusal:
        return _complete(
            exchange, failed(words_of(refusal, is_read_only=_only_reads(exchange))), limit_headers(refusal.headers)
        )
    return _complete(exchange, result, limit_headers(answer.headers))


def _call(exchange: Exchange) -> Call:
    """The call that the message stands for, not made yet.

    Raises:
        InvalidParams: there is no such tool.
        BadArguments: the arguments do not fit it.
        HeaderMismatch: a header says something else than they do.
    """
    params, record = exchange.message.params, exchange.record
    name, arguments = params.get("name"), params.get("arguments", {})
    own = exchange.server.tools.get(name) if isinstance(name, str) else None
    feature = features.find(exchange.caller, features.TOOL, name)
    if not isinstance(arguments, dict):
        raise InvalidParams("params.arguments must be an object.")
    if own is not None:
        record.operation = own.operation
        check(own.tool.input_validator, arguments)
        return partial(call_operation, exchange, own, to_http(own, arguments))
    if feature is not None:
        record.operation = feature.operation
        if exchange.revision.is_modern:
            check_param_headers(_schema_of(feature), arguments, exchange.caller.received.headers)
        check(feature.input_validator, arguments)
        return partial(_call_feature, exchange, feature, arguments)
    raise InvalidParams("params.name must be a tool of this server; tools/list has their names.")


async def _call_feature(
    exchange: Exchange, feature: FeaturePlan, arguments: JsonObject
) -> tuple[JsonObject, Answer]:  # fmt: skip
    repeated = param_headers(_schema_of(feature), arguments)
    result, answer = await relay(exchange, feature, {"name": feature.upstream_name}, headers=repeated)
    validator = feature.output_validator
    is_final = result.get("isError") is not True and result.get("resultType") != INPUT_REQUIRED
    if validator is not None and is_final and not validator.is_valid(result.get("structuredContent")):
        return failed("The service sent an answer that its own schema does not allow."), answer
    return result, answer


def _schema_of(feature: FeaturePlan) -> JsonObject:
    schema: JsonObject = feature.definition.get("inputSchema", {})
    return schema


def _only_reads(exchange: Exchange) -> bool:
    own = exchange.server.tools.get(exchange.message.params["name"])
    return own is not None and own.tool.is_read_only


def _complete(exchange: Exchange, result: JsonObject, headers: Headers = ()) -> Reply:
    return exchange.result(exchange.revision.complete(result), headers=headers)


def _reads_challenges_in_results(exchange: Exchange) -> bool:
    # ChatGPT asks for more permissions after a result that says so, all other clients after a 403. It names itself in a
    # header, and in 2026-07-28 in each request too
    info, headers = exchange.message.meta.get(INFO_KEY), exchange.caller.received.headers
    named = info.get("name") if isinstance(info, dict) else None
    return named == _CHATGPT or any(
        name == b"user-agent" and value.startswith(_CHATGPT.encode()) for name, value in headers
    )
