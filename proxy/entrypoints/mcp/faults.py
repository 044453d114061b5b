"""What a backend's error says to a model: what happened, what to do about it, and the backend's own words."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from oauth_provider.strict_json import loads
from proxy.entrypoints.mcp.files import Kind

# Of a page or a trace of a fault a model learns nothing, and a stranger too much
WORDS_MAX: Final = 4_000
_FIELDS_MAX: Final = 20
_FIELD_WORDS_MAX: Final = 200
_FAILED: Final = 500
_PHRASES: Final = {each.value: each.phrase for each in HTTPStatus}
_NEXT: Final = {
    400: "Mend the arguments that it names and call again.",
    401: "It does not accept the gateway or the person. Signing in again does not help: tell the person.",
    402: "It wants to be paid first: tell the person.",
    403: "It does not let this person do that. Signing in again does not help: tell the person.",
    404: "What the arguments name is not there: check them, or look for it with another tool.",
    405: "The tool does not fit the service any more: tell the person.",
    408: "It did not get the call in time: try again in a moment.",
    409: "It does not fit what is there now: read that again before you decide.",
    413: "Send less in one call.",
    429: "It has had too many calls:",
}
_AS: Final = {410: 404, 406: 405, 412: 409, 415: 405, 422: 400, 423: 409, 428: 409, 501: 405}
# How services name a field, and what they say about it: RFC 9457 and what came before it, JSON:API, FastAPI, Symfony
_NAMES: Final = ("pointer", "field", "name", "param", "parameter", "path", "property", "propertyPath", "loc")
_SAID: Final = ("detail", "message", "reason", "title", "msg", "description")


def fault_words(*, status: int, kind: Kind, content: bytes, retry_after: str, is_read_only: bool) -> str:
    """Words for an answer of 400 or more. `retry_after` is the header of that name, "" without one."""
    phrase = f" ({_PHRASES[status]})" if status in _PHRASES else ""
    words = [f"The service answered {status}{phrase}.", _next(status, retry_after, is_read_only=is_read_only)]
    return "\n".join([" ".join(filter(None, words)), *_own_words(kind, content)])


def _next(status: int, retry_after: str, *, is_read_only: bool) -> str:
    again = f"try again in {int(retry_after[:9])} seconds." if retry_after.isascii() and retry_after.isdigit() else ""
    words = _NEXT.get(_AS.get(status, status), "")
    if status == 429:
        return f"{words} {again or 'try again later.'}"
    if words or status < _FAILED:
        return words
    if not is_read_only:
        return "The call may or may not have taken effect: look before you repeat it."
    return again.capitalize() or "Try again in a moment; if it stays so, tell the person."


def _own_words(kind: Kind, content: bytes) -> Iterator[str]:
    if not content or kind.media_type == "text/html" or not (kind.is_json or kind.is_text):
        return
    text = kind.decoded(content).strip()
    if len(text) <= WORDS_MAX:
        yield text
        return
    if kind.is_json:
        yield from _fields(content)
    yield f"{text[:WORDS_MAX]}…"


def _fields(content: bytes) -> Iterator[str]:
    """The fields that a long document finds fault with, a line for each: they may stand behind where it is cut."""
    try:
        document = loads(content)
    except ValueError:
        return
    listed = document if isinstance(document, dict) else {}
    faults = [
        fault for name in ("errors", "invalid-params", "violations", "detail") for fault in _each(listed.get(name))
    ]
    for name, said in faults[:_FIELDS_MAX]:
        yield f"{name}: {said}"[:_FIELD_WORDS_MAX]


def _each(found: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever a service sends
    if isinstance(found, dict):
        for name, said in found.items():
            yield name, " ".join(map(str, said)) if isinstance(said, list) else str(said)
    for fault in found if isinstance(found, list) else ():
        if isinstance(fault, dict):
            source = fault["source"] if isinstance(fault.get("source"), dict) else fault
            name = next((source[key] for key in _NAMES if key in source), "")
            said = next((fault[key] for key in _SAID if key in fault), "")
            yield ".".join(map(str, name)) if isinstance(name, list) else str(name), str(said)
