"""What a backend answers to a posted message: one JSON-RPC message as JSON, or several as events."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Final, Protocol

from oauth_provider.strict_json import loads
from proxy.catalogue.tools import JsonObject
from proxy.upstream.mcp.events import EventParser
from proxy.upstream.mcp.faults import AnswerTooLarge, BadAnswer, BadStatus, RpcFault
from proxy.upstream.transport import Headers

OK: Final = 200
EVENT_STREAM: Final = "text/event-stream"
JSON: Final = "application/json"


class Answered(Protocol):
    """What is read of an answer here, whoever reads it first."""

    status: int
    headers: Headers

    async def read(self) -> bytes:
        """The next bytes of the body, b"" at its end."""
        ...


async def result_of(response: Answered, *, request_id: str | int, max_bytes: int) -> JsonObject:
    """The result of the request `request_id`; what the backend says before it is passed over.

    Raises:
        RpcFault: the backend answered with an error.
        BadStatus, BadAnswer: it did not answer as MCP has it, or with a message larger than `max_bytes`.
    """
    is_error = response.status != OK
    if is_error and kind_of(response) != JSON:
        raise BadStatus(response.status)
    try:
        async for message in messages(response, max_bytes=max_bytes):
            if "method" not in message and _is_of(message, request_id, is_error=is_error):
                return _result(message)
    except BadAnswer:
        if is_error:
            raise BadStatus(response.status) from None
        raise
    raise BadStatus(response.status) if is_error else BadAnswer


async def messages(
    response: Answered, *, max_bytes: int, parser: EventParser | None = None
) -> AsyncIterator[JsonObject]:  # fmt: skip
    """Each JSON-RPC message of an answer, as soon as it is whole; one may have `max_bytes`. `parser` reads its events.

    Raises:
        BadAnswer: it is neither JSON nor events, or holds something else.
    """
    kind = kind_of(response)
    if kind == EVENT_STREAM:
        parser = parser or EventParser(max_bytes=max_bytes)
        while piece := await response.read():
            for event in parser.feed(piece):
                if event.kind == "message":
                    for each in parsed(event.data):
                        yield each
    elif kind == JSON:
        for each in parsed(await _whole(response, max_bytes)):
            yield each
    else:
        raise BadAnswer


def parsed(content: bytes) -> Iterator[JsonObject]:
    """The message of `content`, or those of a batch, which 2025-03-26 has.

    Raises:
        BadAnswer: it is no JSON with one reading, or no message.
    """
    try:
        document = loads(content)
        if b"\\u" in content:
            # Half of a pair is no character (RFC 8259 section 8.2); only an escape can smuggle one in
            json.dumps(document, ensure_ascii=False).encode()
    except ValueError:
        raise BadAnswer from None
    for each in document if isinstance(document, list) else [document]:
        if not isinstance(each, dict) or each.get("jsonrpc") != "2.0":
            raise BadAnswer
        yield each


def kind_of(response: Answered) -> str:
    """Its media type in lower case; "" for one that is compressed, which nobody asked for."""
    found = dict(response.headers)
    if found.get("content-encoding", "identity").strip().lower() != "identity":
        return ""
    return found.get("content-type", "").partition(";")[0].strip().lower()


async def _whole(response: Answered, max_bytes: int) -> bytes:
    pieces, size = [], 0
    while piece := await response.read():
        size += len(piece)
        if size > max_bytes:
            raise AnswerTooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _is_of(message: JsonObject, request_id: str | int, *, is_error: bool) -> bool:
    # Who refuses a request as a whole may not know its id
    found = message.get("id")
    return (type(found) is type(request_id) and found == request_id) or (is_error and found is None)


def _result(message: JsonObject) -> JsonObject:
    result, error = message.get("result"), message.get("error")
    if isinstance(result, dict):
        return result
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        raise BadAnswer
    raise RpcFault(error["code"], str(error.get("message", "")), error.get("data"))
