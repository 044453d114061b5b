"""REST: HTTP in, HTTP out, no policy. What a call may do is decided in the pipeline."""

import asyncio

import structlog

from audit.ledger.recorder import Recorder
from proxy.entrypoints.asgi_types import Receive, Scope, Send
from proxy.entrypoints.body import RequestBody
from proxy.entrypoints.client_watch import ClientWatch, ConnectionBroken
from proxy.entrypoints.cors import Cors, answer_options
from proxy.entrypoints.received import received_from
from proxy.entrypoints.responder import Responder
from proxy.limits.concurrency import AwaitedBodies
from proxy.pipeline.call import Answer, ClientGone, Received
from proxy.pipeline.record import Record
from proxy.pipeline.run import Gateway, run
from proxy.refusals import AuditUnavailable, BackendNonsense, Crash, Refusal

# An answer that announces no more than this goes out when all of it is here: until then what is wrong with it can be
# said, in place of half of it
HELD_MAX = 65_536
log = structlog.get_logger(__name__)


class RestEntrypoint:
    """The ASGI application of `/api/v1/`."""

    def __init__(self, *, gateway: Gateway, recorder: Recorder, cors: Cors) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. `state` holds what the front door knows: `request_id` and `address`."""
        body = _body(scope, receive, self._gateway.awaited)
        received = received_from(scope, body)
        if received.method == "OPTIONS":
            responder = Responder(send, request_id=received.request_id)
            await answer_options(self._cors, self._gateway.identifier, received, responder)
            return
        watch = ClientWatch(receive, send, body)
        responder = Responder(
            watch.send,
            request_id=received.request_id,
            shared=self._cors.headers(received.headers),
            head_only=received.method == "HEAD",
        )
        record = Record(recorder=self._recorder, received=received, observation=self._gateway.observation)
        try:
            await self._carry(received, record, responder)
        except ClientGone:
            await _closed(record, "client_gone")
            await responder.broken_off()
        except asyncio.CancelledError:
            await _closed(record, "client_gone" if watch.gone else "shutdown")
            if not watch.gone:
                raise
            if watch.stalled:
                raise ConnectionBroken("client_stalled") from None
        finally:
            watch.stop()

    async def _carry(self, received: Received, record: Record, responder: Responder) -> None:
        try:
            async with run(self._gateway, received, record) as answer:
                await _relay(answer, record, responder)
        except Refusal as refusal:
            await _refuse(refusal, record, responder)
        except (ClientGone, ConnectionBroken):
            raise
        except Exception:
            log.exception("call_crashed", request_id=received.request_id)
            await _refuse(Crash(), record, responder)


async def _relay(answer: Answer, record: Record, responder: Responder) -> None:
    """Send the answer on; the bytes that complete it wait until its event is durable."""
    if answer.length is not None and answer.length <= HELD_MAX and not answer.is_stream:
        last = await _whole(answer, answer.length)
        record.response_bytes = len(last)
    else:
        last = await _passed_on(answer, record, responder)
    await record.answered()
    if not responder.started:
        await responder.start(answer.status, answer.headers)
    await responder.body(last, more=False)


async def _whole(answer: Answer, length: int) -> bytes:
    parts, received = [], 0
    while received < length and (chunk := await answer.stream.read()):
        received += len(chunk)
        parts.append(chunk)
    if received != length:
        raise BackendNonsense(reason="backend_wrong_length")
    return b"".join(parts)


async def _passed_on(answer: Answer, record: Record, responder: Responder) -> bytes:
    """Send all but the last bytes of an announced length, which are returned; b"" when no length was announced."""
    while chunk := await answer.stream.read():
        record.response_bytes += len(chunk)
        if answer.length is not None and record.response_bytes >= answer.length:
            break
        if not responder.started:
            await responder.start(answer.status, answer.headers)
        await responder.body(chunk, more=True)
    if answer.length is not None and record.response_bytes != answer.length:
        raise BackendNonsense(reason="backend_wrong_length")
    return chunk


async def _refuse(refusal: Refusal, record: Record, responder: Responder) -> None:
    if responder.started:
        await _closed(record, refusal.reason)
        raise ConnectionBroken(refusal.reason)
    try:
        await record.refused(refusal)
    except AuditUnavailable as unrecorded:
        await responder.problem(unrecorded)
        return
    await responder.problem(refusal)


async def _closed(record: Record, reason: str) -> None:
    try:
        await record.broken(reason)
    except AuditUnavailable:
        log.exception("broken_call_not_recorded", request_id=record.received.request_id, reason=reason)


def _body(scope: Scope, receive: Receive, awaited: AwaitedBodies) -> RequestBody:
    length, is_chunked = None, False
    for name, value in scope["headers"]:
        # One at most, and well-formed: the front door saw to it
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            is_chunked = True
    return RequestBody(
        receive,
        length=length,
        is_absent=not length and not is_chunked,
        awaited=awaited,
        address=scope["state"]["address"],
    )
