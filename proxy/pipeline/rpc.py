"""Between Identify and Transform: which operation a JSON-RPC 2.0 message names, for backends whose paths do not say it.

The body is read once, decided on, and sent as it came: what two programs could read differently is refused.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from oauth_provider.strict_json import loads
from proxy.catalogue.matching import Found
from proxy.catalogue.plans import OperationPlan
from proxy.pipeline.call import Identified, RawHeaders, Received
from proxy.pipeline.whole import WholeBody
from proxy.refusals import BadRequest, NotRegistered, TooLarge, UnsupportedMediaType

BATCH_MAX: Final = 50
READ_WITHIN_S: Final = 30.0
_MEDIA_TYPES: Final = frozenset({"application/json", "application/json-rpc"})
# Section 4; some programs ignore case, so no other name is taken beside them
_MEMBERS: Final = frozenset({"jsonrpc", "method", "params", "id"})
JsonObject = dict[str, Any]


async def name_operation(identified: Identified) -> Identified:
    """The call with the operation that its body names, and the body read; every other call as it is.

    Raises:
        UnsupportedMediaType, TooLarge, RequestTimeout, ClientGone: the body cannot be taken.
        BadRequest: it is not one message, nor a batch of them, that can be read in one way.
        NotRegistered: a method that is not listed; one is enough to refuse a batch.
    """
    located = identified.located
    result = located.match.result
    if not isinstance(result, Found) or result.operation.by_rpc_method is None:
        return identified
    content = await _whole(located.received, limit=result.operation.max_request_bytes)
    named = _named(result.operation, [_method(message) for message in _messages(content)])
    received = replace(located.received, body=WholeBody(content))
    match = replace(located.match, result=Found(named))
    return replace(identified, located=replace(located, received=received, match=match))


def _named(place: OperationPlan, methods: list[str]) -> OperationPlan:
    known = place.by_rpc_method or {}
    if not all(method in known for method in methods):
        raise NotRegistered("This backend has no such method.", reason="rpc_method_not_found")
    messages = tuple(known[method] for method in methods)
    return replace(
        messages[0],
        scopes=tuple(sorted({scope for plan in messages for scope in plan.scopes})),
        scope_set=frozenset().union(*(plan.scope_set for plan in messages)),
        any_of=tuple({choice for plan in messages for choice in plan.any_of}),
        max_request_bytes=min(plan.max_request_bytes for plan in messages),
        idempotent=all(plan.idempotent for plan in messages),
        messages=messages,
    )


async def _whole(received: Received, *, limit: int) -> bytes:
    _check_media_type(received.headers)
    if received.body.length is not None and received.body.length > limit:
        raise TooLarge(limit)
    content = await received.body.open(limit=limit, until=received.started + READ_WITHIN_S)
    if content is None or isinstance(content, bytes):
        return content or b""
    return b"".join([chunk async for chunk in content])


def _check_media_type(headers: RawHeaders) -> None:
    values = {name: value.decode("latin-1").lower() for name, value in headers}
    kind, _semicolon, parameters = values.get(b"content-type", "").partition(";")
    charset = parameters.strip().replace('"', "").removeprefix("charset=")
    if kind.strip() not in _MEDIA_TYPES or charset not in {"", "utf-8", "utf8"}:
        raise UnsupportedMediaType("Send the message as application/json in UTF-8.")
    if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in headers):
        raise UnsupportedMediaType("Send the message without a content encoding.")


def _messages(content: bytes) -> Iterator[JsonObject]:
    try:
        document = loads(content)
    except ValueError:
        raise BadRequest("The body is not JSON that can be read in one way.", reason="rpc_parse_error") from None
    batch = document if isinstance(document, list) else [document]
    if not 1 <= len(batch) <= BATCH_MAX:
        raise _invalid(f"A batch has 1 to {BATCH_MAX} messages.")
    for message in batch:
        if not isinstance(message, dict):
            raise _invalid("A message is an object.")
        yield message


def _method(message: JsonObject) -> str:
    """The method of a request or a notification (sections 4 and 4.1)."""
    if message.get("jsonrpc") != "2.0" or not message.keys() <= _MEMBERS:
        raise _invalid('A message has "jsonrpc": "2.0", method, params and id, and nothing else.')
    if not isinstance(message.get("params", {}), dict | list):
        raise _invalid("params is an object or a list.")
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None):
        raise _invalid("id is a text, a number or null.")
    method = message.get("method")
    if not isinstance(method, str):
        raise _invalid("method is a text.")
    return method


def _invalid(detail: str) -> BadRequest:
    return BadRequest(detail, reason="rpc_invalid_request")
