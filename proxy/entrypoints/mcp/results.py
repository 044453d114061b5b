"""From a backend's answer, or a refusal, to the result of a tool: what a model reads, and what it may do next."""

from typing import Any, Final

from oauth_provider.strict_json import loads
from proxy.catalogue.tools import Tool
from proxy.entrypoints.mcp.faults import fault_words
from proxy.entrypoints.mcp.files import FILE_MAX_BYTES, kind_of
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.parts import NoSuchPart, Part, Position, part_of_json, part_of_text
from proxy.pipeline.call import Headers
from proxy.refusals import (
    BackendFault,
    BackendNonsense,
    ConnectTimeout,
    DeadlinePassed,
    InsufficientScope,
    Refusal,
    TooLarge,
    ToolResultTooLarge,
)

CLIENT_ERROR: Final = 400
_REDIRECT: Final = 300
# A client throws away a result without the document that the tool's description promises, unless it is an error
_UNDESCRIBED: Final = "The call was carried out. The answer is not what the service's own description says it is."
_LOOK: Final = "The call may or may not have taken effect: look before you repeat it."
_DONE: Final = "The call was carried out: do not repeat it."
_UNSENT: Final = "Nothing was sent."
_LATER: Final = "Try again later; if it stays so, tell the person."
_SMALLER: Final = "Send less in one call."
# What the model may do about it, beside what the refusal says: when the tool changes nothing, and when it may
_NEXT: Final[tuple[tuple[type[Refusal], str, str], ...]] = (
    (ConnectTimeout, _LATER, f"{_UNSENT} {_LATER}"),
    (DeadlinePassed, "Try again, or ask for less.", _LOOK),
    (ToolResultTooLarge, "Ask for less, such as one page or fewer fields.", _DONE),
    (BackendNonsense, _LATER, _LOOK),
    (BackendFault, _LATER, f"{_UNSENT} {_LATER}"),
    (TooLarge, _SMALLER, _SMALLER),
)


def answered(tool: Tool, *, status: int, headers: Headers, content: bytes, at: Position | None = None) -> JsonObject:
    """The result of a call that the backend answered; of a long answer the part that begins `at`."""
    kind = kind_of(headers)
    if status >= CLIENT_ERROR:
        retry_after = next((value for name, value in headers if name == "retry-after"), "")
        return failed(
            fault_words(
                status=status, kind=kind, content=content, retry_after=retry_after, is_read_only=tool.is_read_only
            )
        )
    if status >= _REDIRECT or not content:
        return _undescribed(tool, [_text(_without_content(status, headers))])
    try:
        if kind.is_json:
            return _structured(tool, content, at)
        if kind.is_text:
            part = part_of_text(kind.decoded(content), at=at)
            return _undescribed(tool, [kind.text_block(part.text, content), *_notes(tool, part)])
    except NoSuchPart:
        return failed("The answer has changed and has no such part any more: call again without continue_from.")
    if len(content) > FILE_MAX_BYTES:
        return failed(
            f"The service sent a file of {len(content)} bytes, {kind.media_type}. A result carries {FILE_MAX_BYTES}."
        )
    return _undescribed(tool, kind.file_blocks(content))


def words_of(refusal: Refusal, *, is_read_only: bool = False) -> str:
    """What a model reads of a call that was refused: never a challenge, so that no client signs in again for it."""
    words = [refusal.detail]
    words += [f"Try again in {value} seconds." for name, value in refusal.headers if name == "retry-after"]
    words += [read if is_read_only else write for kind, read, write in _NEXT if isinstance(refusal, kind)][:1]
    return " ".join(words)


def challenged(refusal: InsufficientScope) -> JsonObject:
    """The result that lets ChatGPT ask for more permissions: the challenge stands in it (OpenAI's Apps SDK)."""
    challenges = [value for name, value in refusal.headers if name == "www-authenticate"]
    return {**failed(refusal.detail), "_meta": {"mcp/www_authenticate": challenges}}


def failed(words: str) -> JsonObject:
    """A result that says what went wrong, for the model to read."""
    return {"content": [_text(words)], "isError": True}


def _structured(tool: Tool, content: bytes, at: Position | None) -> JsonObject:
    try:
        value = loads(content)
    except ValueError:
        return failed(" ".join(["The service sent an answer that cannot be read as JSON.", *_done(tool)]))
    part = part_of_json(value, content.decode("utf-8"), at=at)
    blocks = [_text(part.text), *_notes(tool, part)]
    check = tool.output_validator
    if check is None:
        # Before 2026-07-28 only an object can be structured
        return {"content": blocks} | ({"structuredContent": part.value} if isinstance(part.value, dict) else {})
    if not check.is_valid(value):
        return {"content": [_text(_UNDESCRIBED), *blocks], "isError": True}
    # Where a tool has a schema, each of its results has a document that fits it
    return {"content": blocks, "structuredContent": part.value if check.is_valid(part.value) else value}


def _undescribed(tool: Tool, blocks: list[JsonObject]) -> JsonObject:
    """A result without a document."""
    if tool.output_validator is None:
        return {"content": blocks}
    return {"content": [_text(_UNDESCRIBED), *blocks], "isError": True}


def _without_content(status: int, headers: Headers) -> str:
    # What leads off the backend never gets here
    address = next((value for name, value in headers if name == "location"), "")
    if status < _REDIRECT:
        return f"Done ({status})." + (f" It is at {address}." if address else "")
    if address:
        return f"The service answered {status}: see {address}, with the tool that reads it."
    return f"The service answered {status} and sent nothing."


def _notes(tool: Tool, part: Part) -> list[JsonObject]:
    return [] if part.is_whole else [_text(part.note(argument=tool.continuation))]


def _done(tool: Tool) -> list[str]:
    return [] if tool.is_read_only else [_DONE]


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}
