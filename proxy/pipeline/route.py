"""Route: send the call to its backend as the verified user, within one deadline, and bring the answer back."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from functools import lru_cache

from django.conf import settings

from oauth_provider.keys.signing import LoadedKey
from proxy.catalogue.models import AuthMode
from proxy.pipeline.answer_headers import announced_length, outward
from proxy.pipeline.call import SAFE_METHODS, Answer, Constrained, Headers, Received, Validated, in_words
from proxy.refusals import AnswerTooLarge, BackendNonsense, DeadlinePassed, Unavailable
from proxy.upstream.assertion import Claims, Signer
from proxy.upstream.request import header_value, identity_headers, request_target, upstream_path
from proxy.upstream.transport import Transport, UpstreamRequest, UpstreamResponse

# A stream of events, or of JSON line by line, has no length to wait for: silence ends it, and so does an hour
EVENT_STREAMS = frozenset({"text/event-stream", "application/jsonl", "application/x-ndjson"})
EVENT_STREAM_IDLE_S = 60.0
EVENT_STREAM_MAX_S = 3600.0
# A backend that only waited for its reader goes on within this; and who gives up then does so for the call's time
STALLED_S, GIVEN_UP_S = 0.25, 0.1
# How long a backend may say nothing: this, or half of a longer time that staff gave the whole call
FIRST_BYTE_S = 15.0
IDEMPOTENCY_KEY = "idempotency-key"
_LENGTH_REQUIRED = frozenset({"POST", "PUT", "PATCH"})
NO_CONTENT = 204
_NO_BODY_STATUS = frozenset({NO_CONTENT, 304})

Body = bytes | AsyncIterator[bytes] | None


class TimedBody:
    """A backend's body under the call's deadline; with `idle_s`, each read has at most that long.

    Of more than `most` bytes what is too much is not passed on; None is no limit. `call_until` is the end of the time
    of a whole call, the same as `deadline` but for streams.
    """

    __slots__ = ("_call_until", "_deadline", "_idle_s", "_most", "_received", "_response")

    def __init__(
        self,
        response: UpstreamResponse,
        *,
        deadline: float,
        call_until: float,
        idle_s: float | None = None,
        most: int | None = None,
    ) -> None:
        self._response = response
        self._deadline = deadline
        self._call_until = call_until
        self._idle_s = idle_s
        self._most = most
        self._received = 0

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        chunk = await self._read()
        if self._most is not None:
            self._received += len(chunk)
            if self._received > self._most:
                raise AnswerTooLarge
        return chunk

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._response.aclose()

    async def _read(self) -> bytes:
        now, until = asyncio.get_running_loop().time(), self._deadline
        if self._response.is_ready and now < until:
            return await self._response.read()
        if self._idle_s is not None:
            until = min(until, now + self._idle_s)
        try:
            async with asyncio.timeout_at(until):
                return await self._response.read()
        except TimeoutError:
            self._given_up(since=now)
            raise DeadlinePassed(reason="backend_body_timeout") from None
        except asyncio.CancelledError:
            # Readers of MCP have the time of a call too
            self._given_up(since=now)
            raise

    def _given_up(self, *, since: float) -> None:
        """Say so if the backend fell silent; not of who reads slowly or leaves, nor of a stream that may be silent."""
        now = asyncio.get_running_loop().time()
        if now - since >= STALLED_S and self._call_until <= now < self._call_until + GIVEN_UP_S:
            self._response.stalled()


async def route(constrained: Constrained, transport: Transport) -> Answer:
    """The backend's answer, its body not read yet.

    Raises:
        BackendFault: it cannot be reached, may not be called, or does not speak HTTP.
        DeadlinePassed: no answer within the backend's time for a whole call.
        TooLarge, RequestTimeout, ClientGone: while the request's body was read.
    """
    validated = constrained.validated
    received, backend = validated.received, validated.identified.backend
    loop = asyncio.get_running_loop()
    deadline = received.started + backend.timeout_s
    body = await received.body.open(limit=validated.operation.max_request_bytes, until=deadline)
    sent_at = loop.time()
    response = await transport.send(backend, _request(constrained, body, deadline=deadline, now=sent_at))
    try:
        return _answer(constrained, response, deadline=deadline, upstream_s=loop.time() - sent_at)
    except (BackendNonsense, AnswerTooLarge):
        await response.aclose()
        raise


def _answer(constrained: Constrained, response: UpstreamResponse, *, deadline: float, upstream_s: float) -> Answer:
    validated = constrained.validated
    received, backend = validated.received, validated.identified.backend
    length = announced_length(response.headers)
    headers = outward(backend, mode=validated.operation.auth_mode, status=response.status, headers=response.headers)
    framing = (("content-length", str(length)),) if length is not None and response.status != NO_CONTENT else ()
    no_body = received.method == "HEAD" or response.status in _NO_BODY_STATUS
    most = backend.max_response_bytes
    if most is not None and length is not None and length > most and not no_body:
        raise AnswerTooLarge
    kinds = [value for name, value in headers if name == "content-type"]
    is_event_stream = any(kind.partition(";")[0].strip().lower() in EVENT_STREAMS for kind in kinds)
    return Answer(
        status=response.status,
        headers=(*headers, *framing, *constrained.limit_headers),
        length=0 if no_body else length,
        stream=TimedBody(
            response,
            deadline=received.started + EVENT_STREAM_MAX_S if is_event_stream else deadline,
            call_until=deadline,
            idle_s=EVENT_STREAM_IDLE_S if is_event_stream else None,
            most=most,
        ),
        upstream_s=upstream_s,
        retries=response.retries,
        is_stream=is_event_stream,
    )


def _request(constrained: Constrained, body: Body, *, deadline: float, now: float) -> UpstreamRequest:
    validated = constrained.validated
    received, backend = validated.received, validated.identified.backend
    path = upstream_path(backend, validated.identified.located.match.rest)
    headers = [
        *validated.transformed.headers,
        *_identity(constrained, path, body),
        ("x-request-deadline-ms", str(max(1, int((deadline - now) * 1000)))),
        *_framing(received, body),
        *_idempotency_key(validated),
    ]
    if backend.credential and not _keeps_authorization(constrained, backend.credential[0]):
        headers.append((backend.credential[0].lower(), backend.credential[1]))
    user = validated.identified.principal.user
    target = request_target(backend, path, received.query, external_id=user.external_id if user else "")
    return UpstreamRequest(
        method=received.method,
        target=target,
        headers=tuple(headers),
        body=body,
        deadline=deadline,
        first_byte_s=max(FIRST_BYTE_S, backend.timeout_s / 2),
        may_repeat=_may_repeat(validated, body),
        needs_token=backend.client_credentials is not None and validated.operation.auth_mode != AuthMode.PASSTHROUGH,
    )


def _may_repeat(validated: Validated, body: Body) -> bool:
    is_harmless = validated.received.method in SAFE_METHODS or validated.operation.idempotent
    return is_harmless and (body is None or isinstance(body, bytes))


def _keeps_authorization(constrained: Constrained, name: str) -> bool:
    return name.lower() == "authorization" and constrained.validated.operation.auth_mode == AuthMode.PASSTHROUGH


def _idempotency_key(validated: Validated) -> Headers:
    # The client's own has crossed as any other header; without one a backend can still tell a repetition of ours
    received = validated.received
    # A router sends several messages in one call, and says itself which of them is the call
    is_routed = received.named is not None and received.named.router is not None
    if received.method in SAFE_METHODS or is_routed:
        return ()
    sent = [name for name, _value in validated.transformed.headers if name == IDEMPOTENCY_KEY]
    return () if sent else ((IDEMPOTENCY_KEY, received.request_id),)


def _framing(received: Received, body: Body) -> Headers:
    if body is None:
        return (("content-length", "0"),) if received.method in _LENGTH_REQUIRED else ()
    if isinstance(body, bytes):
        return (("content-length", str(len(body))),)
    # Without a length the transport sends chunks
    return (("content-length", str(received.body.length)),) if received.body.length is not None else ()


def _identity(constrained: Constrained, path: str, body: Body) -> Headers:
    validated = constrained.validated
    located, principal = validated.identified.located, validated.identified.principal
    if not principal.client_id:
        # Passed through or public: nobody was verified, so nobody is asserted
        return ()
    backend = validated.identified.backend
    external_id = principal.user.external_id if principal.user else ""
    scopes = in_words(principal.scopes & located.snapshot.enabled_scopes)
    assertion = _signer(located.snapshot.signing_key).sign(
        Claims(
            audience=backend.name,
            subject=external_id,
            client_id=principal.client_id,
            scope=scopes,
            request_id=validated.received.request_id,
            method=validated.received.method,
            url=f"{backend.base.scheme}://{backend.base.authority}{path}",
            body_digest=_digest(body) if isinstance(body, bytes) else "",
            tenant=principal.tenant,
            roles=principal.roles,
        )
    )
    plain = identity_headers(
        backend,
        external_id=external_id,
        client_id=principal.client_id,
        scopes=scopes,
        tenant=principal.tenant,
        roles=principal.roles,
    )
    return (*plain, ("x-gateway-identity", header_value(assertion)))


@lru_cache(maxsize=4)
def _signer(key: LoadedKey | None) -> Signer:
    if key is None:
        raise Unavailable(reason="no_signing_key")
    return Signer(issuer=settings.PUBLIC_BASE_URL, key=key)


def _digest(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
