"""What one call says to an MCP server behind this one: as its caller, beside the one message it is about."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from typing import Final

from proxy.entrypoints.mcp.messages import JsonObject
from proxy.pipeline.call import Answer, BodyStream, Constrained, Headers
from proxy.pipeline.record import Record
from proxy.pipeline.route import IDEMPOTENCY_KEY, route
from proxy.pipeline.whole import WholeBody, carrying
from proxy.refusals import BackendNonsense, DeadlinePassed, Refusal
from proxy.upstream.mcp.answers import EVENT_STREAM, OK, kind_of, result_of
from proxy.upstream.mcp.faults import McpFault
from proxy.upstream.mcp.outgoing import (
    CLIENT_INFO,
    HANDSHAKE,
    MODERN,
    SESSION_HEADER,
    VERSION_HEADER,
    Outgoing,
    end_of_session,
    message,
    posted,
    server_stream,
)
from proxy.upstream.transport import Transport

MESSAGE_MAX_BYTES: Final = 4_194_304
# What is said after the call, with nobody waiting for it
AFTERWARDS_S: Final = 2.0
# Of the server in one answer or stream: who pings every four seconds stays below it for the hour that a stream may last
REQUESTS_MAX: Final = 1_000
_VISIBLE: Final = re.compile(r"\A[!-~]{1,1024}\Z")
_OF_A_MESSAGE: Final = frozenset({
    "accept", "accept-encoding", "content-type", VERSION_HEADER, SESSION_HEADER, "mcp-method", "mcp-name",
})  # fmt: skip
# A server that named no session will not in the next call: for so long none is made a handshake for nothing
WITHOUT_SESSIONS_S: Final = 60.0
_WANTS_A_SESSION: Final = frozenset({400, 404})
_without_sessions: dict[tuple[str, str], float] = {}
_running: set[asyncio.Task[None]] = set()


class Heard:
    """An answer as the parsers of MCP read it; what they read is counted in `record`.

    Until `patient_until`, a time of the event loop, silence does not end it.
    """

    def __init__(self, answer: Answer, record: Record | None = None) -> None:
        self.status = answer.status
        self.headers: Headers = answer.headers
        self.retries = answer.retries
        self._answer = answer
        self._record = record
        self.patient_until = 0.0

    @property
    def is_ready(self) -> bool:
        """Not known: whoever reads it waits in any case."""
        return False

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        while True:
            try:
                piece = await self._answer.stream.read()
            except DeadlinePassed:
                if asyncio.get_running_loop().time() >= self.patient_until:
                    raise
            else:
                if self._record is not None:
                    self._record.response_bytes += len(piece)
                return piece

    async def aclose(self) -> None:
        """Let the connection go, unless it is kept."""
        await self._answer.stream.aclose()

    async def goes_on(self, rest: Answer) -> bool:
        """Whether `rest` is the rest of it, which is read from now on, and kept if this was."""
        if rest.status != OK or kind_of(Heard(rest)) != EVENT_STREAM:
            await rest.stream.aclose()
            return False
        before, self._answer = self._answer.stream, rest
        if isinstance(before, Lasting) and isinstance(rest.stream, Lasting):
            rest.stream.outlasts, before.outlasts = before.outlasts, False
        await before.aclose()
        return True

    def keep(self) -> bool:
        """Hold the connection beyond the call, until `close`; False when there is nothing that could come."""
        stream = self._answer.stream
        if isinstance(stream, Lasting):
            stream.outlasts = True
        return isinstance(stream, Lasting)

    async def close(self) -> None:
        """Let the connection go of an answer that was kept."""
        stream = self._answer.stream
        if isinstance(stream, Lasting):
            stream.outlasts = False
        await stream.aclose()


class Lasting:
    """An answer's body that may outlast the call which asked for it."""

    def __init__(self, stream: BodyStream) -> None:
        self._stream = stream
        self.outlasts = False

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        return await self._stream.read()

    async def aclose(self) -> None:
        """Let the connection go, unless it is still listened to."""
        if not self.outlasts:
            await self._stream.aclose()


class UpstreamCall:
    """The talk of one call in one revision.

    `session_id` names a session at the server. With `needs_handshake` the call makes one of its own, and ends it.
    `key` tells the server a repetition of the call: no other message has it, or it would pass for the call. A call with
    `capabilities`, of a client that can be asked, may go on while the client has a question: then it `is_waiting`.
    """

    def __init__(
        self,
        *,
        version: str,
        session_id: str = "",
        needs_handshake: bool = False,
        key: str = "",
        capabilities: JsonObject | None = None,
    ) -> None:
        self.version = version
        self.is_waiting = False
        self._capabilities = capabilities or {}
        self._key = key
        self.session_id = session_id
        self._needs_handshake = needs_handshake
        self._requests = 0
        self._constrained: Constrained | None = None
        self._transport: Transport | None = None

    async def route(self, constrained: Constrained, transport: Transport) -> Answer:
        """Route's place in the six stages: the answer to the message that `constrained` carries.

        Raises:
            BackendNonsense: the handshake before it failed.
            Refusal: as Route.
        """
        self._constrained, self._transport = constrained, transport
        backend = constrained.validated.identified.backend
        server, now = (backend.name, backend.upstream_url), asyncio.get_running_loop().time()
        if self._needs_handshake and _without_sessions.get(server, now) <= now:
            await self._shake_hands(constrained)
            if not self.session_id:
                _without_sessions[server] = now + WITHOUT_SESSIONS_S
            constrained = carrying(constrained, constrained.validated.received, headers=self._agreed(constrained))
        if self._key:
            headers = (*constrained.validated.transformed.headers, (IDEMPOTENCY_KEY, self._key))
            constrained = carrying(constrained, constrained.validated.received, headers=headers)
        answer = await route(constrained, transport)
        if answer.status in _WANTS_A_SESSION:
            _without_sessions.pop(server, None)
        return self._lasting(answer)

    async def rest_of(self, last_event_id: str) -> Answer:
        """What follows on an event of an answer that the server ended before its result (2025-11-25, resumability).

        Raises:
            BackendNonsense: it has broken off too often, or the id is not visible ASCII, which a header must be.
            Refusal: as Route.
        """
        self.count_request()
        if not _VISIBLE.match(last_event_id):
            raise BackendNonsense(reason="mcp_unreadable")
        headers = server_stream(self.session_id, version=self.version, after=last_event_id)
        return self._lasting(await self._post(Outgoing(headers, b""), method="GET"))

    def _lasting(self, answer: Answer) -> Answer:
        return replace(answer, stream=Lasting(answer.stream)) if self._capabilities else answer

    def count_request(self) -> None:
        """The server asks something: a ping, a person, what nobody here answers, or to be asked again.

        Raises:
            BackendNonsense: it has asked too often.
        """
        self._requests += 1
        if self._requests > REQUESTS_MAX:
            raise BackendNonsense("The service asks the gateway without end.", reason="mcp_requests")

    async def tell(self, document: JsonObject) -> None:
        """Send what nobody answers; whether the server takes it is its own affair."""
        with suppress(Refusal):
            answer = await self._post(posted(document, version=self.version, session_id=self.session_id))
            await answer.stream.aclose()

    def leave(self, *, cancelled: str | int | None = None) -> None:
        """Say so when the request `cancelled` is no longer waited for, and end a session that was this call's own.

        The newest revision sees both by the connection; the earlier ones are told (2025-11-25, cancellation).
        """
        if self.is_waiting:
            return
        tells = cancelled is not None and self.version != MODERN
        ends = self._needs_handshake and self.session_id
        if self._constrained is not None and (tells or ends):
            task = asyncio.create_task(self._leave(cancelled if tells else None, ends=bool(ends)))
            _running.add(task)
            task.add_done_callback(_running.discard)

    async def _leave(self, cancelled: str | int | None, *, ends: bool) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(AFTERWARDS_S):
                if cancelled is not None:
                    await self.tell({
                        "jsonrpc": "2.0", "method": "notifications/cancelled",
                        "params": {"requestId": cancelled, "reason": "The client left."},
                    })  # fmt: skip
                if ends:
                    outgoing = Outgoing(end_of_session(self.session_id, version=self.version), b"")
                    with suppress(Refusal):
                        answer = await self._post(outgoing, method="DELETE")
                        await answer.stream.aclose()

    def _agreed(self, constrained: Constrained) -> Headers:
        """The headers of a call with what its handshake agreed on."""
        others = [field for field in constrained.validated.transformed.headers if field[0] != VERSION_HEADER]
        session = ((SESSION_HEADER, self.session_id),) if self.session_id else ()
        return (*others, (VERSION_HEADER, self.version), *session)

    async def _shake_hands(self, constrained: Constrained) -> None:
        """`initialize` and `notifications/initialized`, as every call of a server with sessions needs first."""
        params = {"protocolVersion": self.version, "capabilities": self._capabilities, "clientInfo": CLIENT_INFO}
        started = constrained.validated.received.started
        deadline = started + constrained.validated.identified.backend.timeout_s
        answer = await self._post(message("initialize", params, version=self.version, request_id=0), started=started)
        try:
            async with asyncio.timeout_at(deadline):
                result = await result_of(Heard(answer), request_id=0, max_bytes=MESSAGE_MAX_BYTES)
        except TimeoutError:
            raise DeadlinePassed(reason="backend_body_timeout") from None
        except McpFault:
            raise BackendNonsense(reason="mcp_handshake") from None
        finally:
            await answer.stream.aclose()
        self.session_id = session_id_in(answer.headers)
        self.version = spoken_version(result)
        begun = message("notifications/initialized", version=self.version, session_id=self.session_id)
        answer = await self._post(begun, started=started)
        await answer.stream.aclose()

    async def _post(self, outgoing: Outgoing, *, method: str = "POST", started: float | None = None) -> Answer:
        if self._constrained is None or self._transport is None:
            raise BackendNonsense(reason="mcp_handshake")
        constrained = self._constrained
        received = replace(
            constrained.validated.received,
            method=method,
            body=WholeBody(outgoing.body or None),
            started=asyncio.get_running_loop().time() if started is None else started,
        )
        shared = [field for field in constrained.validated.transformed.headers if field[0] not in _OF_A_MESSAGE]
        own = [field for field in outgoing.headers if field[0] != "content-length"]
        return await route(carrying(constrained, received, headers=(*shared, *own)), self._transport)


def session_id_in(headers: Headers) -> str:
    """The session that a server names, "" when it keeps none.

    Raises:
        BackendNonsense: it is not visible ASCII (2025-11-25, streamable HTTP, session management).
    """
    found = next((value for name, value in headers if name == SESSION_HEADER), "")
    if found and not _VISIBLE.match(found):
        raise BackendNonsense(reason="mcp_handshake")
    return found


def spoken_version(result: JsonObject) -> str:
    """The revision that the result of `initialize` agrees on.

    Raises:
        BackendNonsense: nobody here speaks it.
    """
    version = result.get("protocolVersion")
    if version not in HANDSHAKE:
        raise BackendNonsense(reason="mcp_handshake")
    return str(version)
