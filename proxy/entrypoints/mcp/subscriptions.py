"""`subscriptions/listen` (2026-07-28): what a server behind this one says outside of a call, as far as it is asked for.

The answer is the stream. Its first message says which of the wishes are granted, each carries the id of the request,
and a result ends it when either side has had enough; a stream that only breaks off may be opened again.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.discovery import announced_now
from proxy.entrypoints.mcp.errors import InvalidParams, MethodNotFound, Refused
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.inner_call import carry, limit_headers
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.relay import FOR_CLIENTS, backend_of, carrying_message, protocol_operation
from proxy.entrypoints.mcp.resources import may_read
from proxy.entrypoints.mcp.results import words_of
from proxy.entrypoints.mcp.server_stream import REFUSED, UPDATED, ServerStream
from proxy.entrypoints.mcp.upstream_answers import result_of
from proxy.entrypoints.mcp.upstream_call import Heard, UpstreamCall
from proxy.pipeline.call import Answer, Named, Received
from proxy.pipeline.record import Record
from proxy.refusals import BackendNonsense, BackendTokenRefused, InsufficientScope, NotAcceptable, Refusal
from proxy.upstream.mcp.answers import EVENT_STREAM, JSON, kind_of
from proxy.upstream.mcp.outgoing import MODERN, message

METHOD: Final = "subscriptions/listen"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
ID_KEY: Final = "io.modelcontextprotocol/subscriptionId"
_URIS: Final = "resourceSubscriptions"
# Each is looked up among all that the server has, before anybody else is answered
URIS_MAX: Final = 100
# By the wish what it is told by, and what a server must say of itself to grant it
_LISTS: Final = {
    f"{name}ListChanged": (f"notifications/{name}/list_changed", f"{name}.listChanged")
    for name in ("tools", "prompts", "resources")
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a client wants to hear of: changed lists by their wish, and resources by their URI."""

    lists: frozenset[str]
    uris: tuple[str, ...]

    @classmethod
    def of(cls, given: object) -> Self:
        """Those that a message names; what nobody here knows is not granted.

        Raises:
            InvalidParams: it names none, or too many.
        """
        uris = given.get(_URIS, []) if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
            raise InvalidParams("params.notifications must be an object that says what to tell of.")
        if len(uris) > URIS_MAX:
            raise InvalidParams(
                f"params.notifications.{_URIS} may name {URIS_MAX} resources; listen once more for others."
            )
        return cls(frozenset(wish for wish in _LISTS if given.get(wish) is True), tuple(uris))

    def both(self, other: "Wishes") -> "Wishes":
        """Those that `other` has too."""
        return Wishes(self.lists & other.lists, tuple(uri for uri in self.uris if uri in other.uris))

    def written(self) -> JsonObject:
        """As messages have them: what is not granted is left out."""
        flags: JsonObject = {wish: True for wish in _LISTS if wish in self.lists}
        return flags | ({_URIS: list(self.uris)} if self.uris else {})


async def listen(exchange: Exchange) -> Reply:
    """What the server behind says, until the client leaves or one side ends it.

    Raises:
        MethodNotFound: that server announces nothing.
        InvalidParams: the message does not say what to tell of.
        NotAcceptable: the client takes no events.
        Refused: in the place of most refusals, before anything was sent; later each ends the stream.
        RpcError: the server answers with an error.
    """
    offered = announced_now(exchange.caller)
    if not offered:
        raise MethodNotFound(f"This server has no method {METHOD!r}: it announces nothing.")
    wanted = Wishes.of(exchange.message.params.get("notifications"))
    if not exchange.stream.is_open:
        raise NotAcceptable("What the server says comes as events: accept text/event-stream.")
    lists = frozenset(wish for wish in wanted.lists if _LISTS[wish][1] in offered)
    uris = [uri for uri in wanted.uris if "resources.subscribe" in offered and may_read(exchange.caller, uri)]
    subscription = Subscription(exchange, Wishes(lists, tuple(uris)))
    try:
        await carry(exchange, subscription.request(), subscription.relay)
    except (InsufficientScope, *FOR_CLIENTS):
        if not exchange.stream.has_begun:
            raise
    except Refusal as refusal:
        if not exchange.stream.has_begun:
            raise Refused(words_of(refusal), headers=limit_headers(refusal.headers)) from None
    if not subscription.is_over:
        return Reply(None)
    return exchange.result(exchange.revision.complete({"_meta": {ID_KEY: exchange.message.request_id}}))


class Subscription(ServerStream):
    """Passes on what was asked for and is for the caller; `is_over` once there is no more of it, and nothing broke."""

    def __init__(self, exchange: Exchange, wishes: Wishes) -> None:
        super().__init__(exchange, UpstreamCall(version=MODERN))
        self.is_over = False
        self._wishes = wishes
        self._is_acknowledged = False

    def request(self) -> Received:
        """The request that asks the server behind for the same."""
        exchange = self._exchange
        backend = backend_of(exchange, exchange.server.backend)
        operation = protocol_operation(exchange, backend, METHOD)
        outgoing = message(
            METHOD,
            {"notifications": self._wishes.written()},
            version=MODERN,
            request_id=exchange.caller.received.request_id,
        )
        received = carrying_message(exchange, backend, operation, outgoing, self._upstream.route)
        router = self._upstream.route
        named = Named(operation, exchange.server, backend=backend.name, router=router, only_listens=True)
        return replace(received, named=named)

    async def relay(self, answer: Answer, record: Record) -> None:
        """All of it.

        Raises:
            Refusal: the server sends something else, or the caller has lost access.
            RpcError: the server answers with an error.
        """
        if answer.status in REFUSED:
            # Its challenge is for the gateway, never for the client
            raise BackendTokenRefused
        if kind_of(Heard(answer)) not in ({EVENT_STREAM, JSON} if answer.status == 200 else {JSON}):
            raise BackendNonsense(f"The service answered {answer.status}.", reason="mcp_status")
        # Until something is granted it may still be an error
        self._be_silent()
        is_enough = await self._hear_all(answer, record)
        if not self._is_acknowledged:
            raise BackendNonsense(reason="mcp_unreadable")
        self.is_over = self.is_over or is_enough

    async def _hear(self, document: JsonObject) -> None:
        if self.is_over:
            return
        if "method" in document:
            await super()._hear(document)
            return
        if document.get("id") not in {self._caller.received.request_id, None}:
            raise BackendNonsense(reason="mcp_unreadable")
        result_of(document, method=METHOD, revision=self._exchange.revision)
        self.is_over = True

    async def _told(self, method: str, params: JsonObject) -> None:
        if not self._is_acknowledged:
            if method == ACKNOWLEDGED:
                await self._acknowledge(params)
            return
        is_wanted = any(method == _LISTS[wish][0] for wish in self._wishes.lists)
        # The URI may be that of a part of what was asked for (2026-07-28, resources)
        is_read = method == UPDATED and self._wishes.uris and may_read(self._caller, params.get("uri"))
        if is_wanted or is_read:
            await self._tell(method, params)

    async def _acknowledge(self, params: JsonObject) -> None:
        try:
            granted = Wishes.of(params.get("notifications"))
        except InvalidParams:
            raise BackendNonsense(reason="mcp_unreadable") from None
        self._wishes = self._wishes.both(granted)
        self._is_acknowledged = True
        await self._tell(ACKNOWLEDGED, {"notifications": self._wishes.written()})

    async def _tell(self, method: str, params: JsonObject) -> None:
        meta = params.get("_meta")
        named = (meta if isinstance(meta, dict) else {}) | {ID_KEY: self._exchange.message.request_id}
        await super()._tell(method, params | {"_meta": named})
