"""What an MCP server behind this one says to a request: messages that go on as they come, and one result."""

import asyncio
from typing import Final

from proxy.catalogue.plans import BackendPlan
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import LIST_CHANGED, JsonObject, RequestId
from proxy.entrypoints.mcp.questions import is_put
from proxy.entrypoints.mcp.rounds import Rounds
from proxy.entrypoints.mcp.session import SessionOver
from proxy.entrypoints.mcp.upstream_answers import result_of
from proxy.entrypoints.mcp.upstream_call import MESSAGE_MAX_BYTES, Heard, UpstreamCall
from proxy.entrypoints.mcp.whole_answers import whole_answer
from proxy.pipeline.call import Answer
from proxy.pipeline.record import Record
from proxy.pipeline.route import EVENT_STREAM_MAX_S
from proxy.refusals import BackendNonsense, BackendTokenRefused, DeadlinePassed
from proxy.upstream.mcp.answers import JSON, kind_of
from proxy.upstream.mcp.faults import AnswerTooLarge, McpFault

# After its result a server closes the stream; one that does not is left
END_S: Final = 0.1
# A person who was asked may think for so long, while the server that asked says nothing
PATIENCE_S: Final = 600.0
LOG_LEVEL_KEY: Final = "io.modelcontextprotocol/logLevel"
# RFC 5424 section 6.2.1, the least first
_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
_REFUSED: Final = frozenset({401, 403})


class Listening:
    """To the answer to one request. Until something goes on to the client, all of it has the time of `backend`."""

    def __init__(
        self, exchange: Exchange, upstream: UpstreamCall, *, request_id: RequestId, backend: BackendPlan, rounds: Rounds
    ) -> None:
        self._exchange = exchange
        self._upstream = upstream
        self._request_id = request_id
        self._rounds = rounds
        self._backend = backend.name
        self._limit = asyncio.timeout_at(exchange.caller.received.started + backend.timeout_s)
        self._found: JsonObject | None = None

    async def read(self, answer: Answer, record: Record) -> JsonObject:
        """The result.

        Raises:
            RpcError: the server answers with an error.
            BackendNonsense, BackendTokenRefused, DeadlinePassed: it does not answer as it should.
            SessionOver: it no longer knows the session.
        """
        _check_status(answer, has_session=self._exchange.session is not None)
        heard = Heard(answer, record)
        try:
            async with self._limit:
                await self._hear_all(heard)
        except TimeoutError:
            if self._found is None:
                raise DeadlinePassed(reason="backend_body_timeout") from None
        except AnswerTooLarge:
            raise BackendNonsense(
                f"A message of the service has more than {MESSAGE_MAX_BYTES} bytes; ask for less.",
                reason="result_too_large",
            ) from None
        except McpFault:
            raise BackendNonsense(reason="mcp_unreadable") from None
        finally:
            await heard.aclose()
        if self._found is None:
            raise BackendNonsense(reason="mcp_unreadable")
        return result_of(self._found, method=self._exchange.message.method, revision=self._exchange.revision)

    async def _hear_all(self, heard: Heard) -> None:
        said = whole_answer(heard, self._upstream)
        async for document in said:
            if "method" not in document:
                self._take(document, is_error=heard.status != 200)
            elif self._found is None and "id" in document and self._rounds.takes(document):
                self._found = {"result": self._rounds.result(document)}
                if heard.keep():
                    self._rounds.listen_on(said, heard)
                return
            elif self._found is None and "id" in document:
                if await is_put(document, self._exchange, self._upstream):
                    self._wait_for_a_person(heard)
            elif self._found is None:
                await self._told(document)

    def _take(self, document: JsonObject, *, is_error: bool) -> None:
        found = document.get("id")
        is_own = type(found) is type(self._request_id) and found == self._request_id
        # Who refuses a request as a whole may not know its id
        if self._found is not None or not (is_own or (is_error and found is None)):
            raise BackendNonsense(reason="mcp_unreadable")
        self._found = document
        self._limit.reschedule(asyncio.get_running_loop().time() + END_S)

    async def _told(self, document: JsonObject) -> None:
        params = document.get("params")
        method, params = document["method"], params if isinstance(params, dict) else {}
        if isinstance(method, str) and method in LIST_CHANGED:
            self._exchange.gateway.lists_changed(self._backend)
        token = self._exchange.message.meta.get("progressToken")
        is_own = method == "notifications/progress" and token is not None and params.get("progressToken") == token
        is_log = method == "notifications/message" and self._wants_log(params.get("level"))
        if is_own or is_log or method == "notifications/elicitation/complete":
            await self._pass({"jsonrpc": "2.0", "method": method, "params": params})

    def _wants_log(self, level: object) -> bool:
        # In the newest revision each request says from which level on (2026-07-28, logging)
        wanted = self._exchange.message.meta.get(LOG_LEVEL_KEY)
        if not self._exchange.revision.is_modern:
            return True
        return wanted in _LEVELS and level in _LEVELS and _LEVELS.index(level) >= _LEVELS.index(wanted)

    def _wait_for_a_person(self, heard: Heard) -> None:
        self._limit.reschedule(None)
        until = asyncio.get_running_loop().time() + PATIENCE_S
        heard.patient_until = min(until, self._exchange.caller.received.started + EVENT_STREAM_MAX_S)

    async def _pass(self, document: JsonObject) -> None:
        if self._exchange.stream.is_open:
            await self._exchange.stream.tell(document)
            # From here on it is a stream of events, with the limits of one
            self._limit.reschedule(None)


def _check_status(answer: Answer, *, has_session: bool) -> None:
    if answer.status == 404 and has_session:
        raise SessionOver
    if answer.status in _REFUSED:
        # Its challenge is for the gateway, never for the client
        raise BackendTokenRefused
    if answer.status != 200 and kind_of(Heard(answer)) != JSON:
        raise BackendNonsense(f"The service answered {answer.status}.", reason="mcp_status")
