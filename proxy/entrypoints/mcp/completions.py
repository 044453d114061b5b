"""Completions: what an argument of a prompt, or a variable of a resource template, may be."""

from proxy.catalogue.plans import FeaturePlan
from proxy.entrypoints.mcp import features
from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.relay import reply_of


async def complete(exchange: Exchange) -> Reply:
    """`completion/complete`, by whoever may use what is completed.

    Raises:
        InvalidParams: params.ref names nothing here, or params.argument is none.
        Refusal, RpcError: as `reply_of`.
    """
    params = exchange.message.params
    found = _referred(exchange, params.get("ref"))
    argument = params.get("argument")
    if found is None:
        raise InvalidParams("params.ref must name a prompt, or a resource template, of this server.")
    if not isinstance(argument, dict) or not all(isinstance(argument.get(name), str) for name in ("name", "value")):
        raise InvalidParams("params.argument must have a name and a value.")
    feature, ref = found
    return await reply_of(exchange, feature, {"ref": ref})


def _referred(exchange: Exchange, ref: object) -> tuple[FeaturePlan, JsonObject] | None:
    """What is completed, and how the server behind this one is told."""
    if not isinstance(ref, dict):
        return None
    kind, member = {
        "ref/prompt": (features.PROMPT, "name"),
        "ref/resource": (features.TEMPLATE, "uri"),
    }.get(str(ref.get("type")), ("", ""))
    feature = features.find(exchange.caller, kind, ref.get(member))
    return (feature, {"type": ref["type"], member: feature.upstream_name}) if feature is not None else None
