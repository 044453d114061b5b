"""Resources: those that the gateway keeps itself, and those of MCP servers behind it."""

from operator import attrgetter
from urllib.parse import unquote

from proxy.catalogue.plans import FeaturePlan, ServerPlan
from proxy.entrypoints.mcp import features
from proxy.entrypoints.mcp.caller import Caller, Reply
from proxy.entrypoints.mcp.errors import InvalidParams, ResourceNotFound
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.pages import TTL_MS, Shown, answer_page
from proxy.entrypoints.mcp.relay import reply_of
from proxy.entrypoints.mcp.uri_templates import stands_for


async def list_resources(exchange: Exchange) -> Reply:
    """The gateway's own, for every caller, and those whose permissions the caller's token has."""
    both: list[Shown] = [*exchange.server.own_resources.values(), *features.shown(exchange.caller, features.RESOURCE)]
    return await answer_page(exchange, "resources", sorted(both, key=attrgetter("name")))


async def list_templates(exchange: Exchange) -> Reply:
    """The resource templates whose permissions the caller's token has."""
    found = sorted(features.shown(exchange.caller, features.TEMPLATE), key=attrgetter("name"))
    return await answer_page(exchange, "resourceTemplates", found)


async def read_resource(exchange: Exchange) -> Reply:
    """What a resource holds.

    Raises:
        InvalidParams: no URI.
        ResourceNotFound: nothing has it.
        Refusal, RpcError: as `reply_of`.
    """
    uri = _named(exchange)
    if own := exchange.server.own_resources.get(uri):
        return await exchange.answered(exchange.revision.cacheable({"contents": [own.contents]}, ttl_ms=TTL_MS))
    return await _relayed(exchange, uri)


async def subscribe(exchange: Exchange) -> Reply:
    """`resources/subscribe` and its end (before 2026-07-28), in a session, by whoever may read the resource.

    Raises:
        InvalidParams: no URI, or that of a resource whose changes nobody announces.
        ResourceNotFound: nothing has it.
        Refusal, RpcError: as `reply_of`.
    """
    uri = _named(exchange)
    if uri in exchange.server.own_resources:
        raise InvalidParams("params.uri is a resource of the gateway itself, which announces no changes of it.")
    return await _relayed(exchange, uri)


def may_read(caller: Caller, uri: object) -> bool:
    """Whether `uri` is a resource of a server behind this one that the caller's token opens."""
    feature = _served(caller, uri) if isinstance(uri, str) else None
    return feature is not None and feature.operation.admits(caller.held)


def _named(exchange: Exchange) -> str:
    uri = exchange.message.params.get("uri")
    if not isinstance(uri, str):
        raise InvalidParams("params.uri must be the URI of a resource; resources/list has them.")
    return uri


async def _relayed(exchange: Exchange, uri: str) -> Reply:
    feature = _served(exchange.caller, uri)
    if feature is None:
        words = "There is no such resource; resources/list has those of this server."
        raise ResourceNotFound(words, data={"uri": uri})
    named = feature.upstream_name if feature.feature == features.RESOURCE else uri
    return await reply_of(exchange, feature, {"uri": named})


def _served(caller: Caller, uri: str) -> FeaturePlan | None:
    return features.find(caller, features.RESOURCE, uri) or _template_of(caller.server, uri)


def _template_of(server: ServerPlan, uri: str) -> FeaturePlan | None:
    """The first template that `uri` is one of: of the backend registered first, then by its name.

    None for a resource with a definition or an operation of its own, in whatever spelling: those say who may read it.
    """
    plain = unquote(uri)
    if any(unquote(each) == plain for each in server.features.get(features.RESOURCE, {})):
        return None
    found = server.features.get(features.TEMPLATE, {})
    plan = next((plan for template, plan in found.items() if stands_for(template, uri)), None)
    return plan if plan and (plan.backend, plain) not in server.closed_uris else None
