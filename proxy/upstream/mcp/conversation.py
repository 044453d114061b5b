"""A conversation with a backend: agree on a revision, ask, and take leave."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from proxy.catalogue.plans import BackendPlan
from proxy.catalogue.tools import JsonObject
from proxy.refusals import DeadlinePassed, Refusal
from proxy.upstream.mcp.answers import result_of
from proxy.upstream.mcp.faults import BadAnswer, BadStatus, NoCommonVersion, RpcFault
from proxy.upstream.mcp.outgoing import (
    CLIENT_INFO,
    HANDSHAKE,
    MODERN,
    SESSION_HEADER,
    Outgoing,
    end_of_session,
    message,
)
from proxy.upstream.request import request_target
from proxy.upstream.transport import Headers, Transport, UpstreamRequest, UpstreamResponse

MESSAGE_MAX_BYTES: Final = 4_194_304
UNSUPPORTED_VERSION: Final = -32022
SERVER_INFO_KEY: Final = "io.modelcontextprotocol/serverInfo"
# After these an `initialize` would say no more
_FINAL: Final = frozenset({401, 403, 407, 429, 502, 503, 504})
_TAKEN: Final = frozenset({200, 202, 204})
# 2025-11-25, streamable HTTP, session management: visible ASCII
_SESSION_ID: Final = re.compile(r"\A[!-~]{1,1024}\Z")


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What a backend says of itself; `session_id` is "" where it keeps none."""

    version: str
    capabilities: JsonObject
    server_info: JsonObject = field(default_factory=dict)
    instructions: str = ""
    session_id: str = ""

    @property
    def is_modern(self) -> bool:
        """Whether each request says everything."""
        return self.version == MODERN


def endpoint(backend: BackendPlan) -> str:
    """The request target of the backend's MCP endpoint, as staff wrote it: with the slash at its end, if there is one.

    The gateway's credential is in the query where it belongs there.
    """
    return request_target(backend, urlsplit(backend.upstream_url).path or "/", b"")


class Conversation:
    """With one backend, until `deadline` (a time of the event loop), and by nobody's order but the gateway's own."""

    def __init__(self, backend: BackendPlan, transport: Transport, *, deadline: float) -> None:
        self._backend = backend
        self._transport = transport
        self._deadline = deadline
        self._asked = 0
        self.negotiated = Negotiated(version=MODERN, capabilities={})

    async def open(self) -> Negotiated:
        """Agree on a revision: the newest first, then those with a handshake (2026-07-28, versioning).

        Raises:
            McpFault: they do not agree.
            Refusal: the backend cannot be reached.
        """
        try:
            return await self.discover()
        except BadStatus as fault:
            if fault.status in _FINAL:
                raise
        except RpcFault as fault:
            if fault.code == UNSUPPORTED_VERSION and not _names_a_handshake(fault.data):
                raise NoCommonVersion from None
        except (BadAnswer, NoCommonVersion):
            pass
        return await self.initialize()

    async def discover(self) -> Negotiated:
        """Ask in the newest revision, `server/discover`.

        Raises:
            NoCommonVersion: it answers, but for other revisions.
            McpFault, Refusal: it gives no result.
        """
        result = await self.ask("server/discover")
        versions, meta = result.get("supportedVersions"), result.get("_meta")
        if not isinstance(versions, list):
            raise BadAnswer
        if MODERN not in versions:
            raise NoCommonVersion
        info = meta.get(SERVER_INFO_KEY) if isinstance(meta, dict) else None
        self.negotiated = _negotiated(MODERN, result, info)
        return self.negotiated

    async def initialize(self) -> Negotiated:
        """Shake hands, as all revisions before do (2025-11-25, lifecycle).

        Raises:
            NoCommonVersion: it wants a revision that is not spoken here.
            McpFault, Refusal: it gives no result.
        """
        params = {"protocolVersion": HANDSHAKE[0], "capabilities": {}, "clientInfo": CLIENT_INFO}
        self.negotiated = Negotiated(version=HANDSHAKE[0], capabilities={})
        request_id = self._next_id()
        outgoing = message("initialize", params, version=HANDSHAKE[0], request_id=request_id)
        result, headers = await self._result(outgoing, request_id)
        version = result.get("protocolVersion")
        if version not in HANDSHAKE:
            raise NoCommonVersion
        self.negotiated = _negotiated(str(version), result, result.get("serverInfo"), session_id=_session_id(headers))
        await self.notify("notifications/initialized")
        return self.negotiated

    async def ask(self, method: str, params: JsonObject | None = None) -> JsonObject:
        """The result of a request.

        Raises:
            McpFault, Refusal: there is none, or not whole by the deadline.
        """
        request_id, known = self._next_id(), self.negotiated
        outgoing = message(
            method, params, version=known.version, session_id=known.session_id, request_id=request_id
        )  # fmt: skip
        result, _headers = await self._result(outgoing, request_id)
        return result

    async def notify(self, method: str) -> None:
        """Tell the backend something that it does not answer.

        Raises:
            BadStatus: it does not take it.
            Refusal: it cannot be reached.
        """
        known = self.negotiated
        response = await self._post(message(method, version=known.version, session_id=known.session_id))
        await response.aclose()
        if response.status not in _TAKEN:
            raise BadStatus(response.status)

    async def close(self) -> None:
        """End the session, if there is one; a backend that does not care is left alone."""
        known = self.negotiated
        if known.session_id:
            headers = end_of_session(known.session_id, version=known.version)
            with suppress(Refusal):
                response = await self._send("DELETE", headers, None)
                await response.aclose()

    def _next_id(self) -> int:
        self._asked += 1
        return self._asked

    async def _result(self, outgoing: Outgoing, request_id: int) -> tuple[JsonObject, Headers]:
        response = await self._post(outgoing)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await result_of(response, request_id=request_id, max_bytes=MESSAGE_MAX_BYTES), response.headers
        except TimeoutError:
            raise DeadlinePassed(reason="backend_body_timeout") from None
        finally:
            await response.aclose()

    async def _post(self, outgoing: Outgoing) -> UpstreamResponse:
        return await self._send("POST", outgoing.headers, outgoing.body)

    async def _send(self, method: str, headers: Headers, body: bytes | None) -> UpstreamResponse:
        backend = self._backend
        credential = ((backend.credential[0].lower(), backend.credential[1]),) if backend.credential else ()
        request = UpstreamRequest(
            method=method,
            target=endpoint(backend),
            headers=(*headers, ("user-agent", "gatehouse"), *credential),
            body=body,
            deadline=self._deadline,
            # Nothing that is asked here changes anything
            may_repeat=True,
            needs_token=backend.client_credentials is not None,
        )
        return await self._transport.send(backend, request)


def _negotiated(version: str, result: JsonObject, server_info: object, *, session_id: str = "") -> Negotiated:
    capabilities, instructions = result.get("capabilities"), result.get("instructions", "")
    if not isinstance(capabilities, dict):
        raise BadAnswer
    return Negotiated(
        version=version,
        capabilities=capabilities,
        server_info=server_info if isinstance(server_info, dict) else {},
        instructions=instructions if isinstance(instructions, str) else "",
        session_id=session_id,
    )


def _session_id(headers: Headers) -> str:
    found = next((value for name, value in headers if name == SESSION_HEADER), "")
    if found and not _SESSION_ID.match(found):
        raise BadAnswer
    return found


def _names_a_handshake(data: object) -> bool:
    versions = data.get("supported") if isinstance(data, dict) else None
    return not isinstance(versions, list) or any(version in HANDSHAKE for version in versions)
