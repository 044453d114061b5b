"""From a backend's answer, or a refusal, to the result of a tool: what a model reads, and what it may do next."""

import base64
from typing import Any, Final

from oauth_provider.strict_json import loads
from proxy.catalogue.tools import Tool
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.pipeline.call import Headers
from proxy.refusals import BackendFault, DeadlinePassed, InsufficientScope, RateLimited, Refusal, TooLarge, Unavailable

# Hosts cut longer ones without a word: Claude at about 150,000 characters, ChatGPT's actions at 100,000
TEXT_MAX: Final = 100_000
CLIENT_ERROR: Final = 400
_JSON: Final = ("application/json", "+json")
# What the model may do about it, beside what the refusal says
_NEXT: Final[tuple[tuple[type[Refusal], str], ...]] = (
    (DeadlinePassed, "The call may or may not have taken effect; look before you repeat it."),
    (BackendFault, "Nothing you can change; tell the person, or try again later."),
    (Unavailable, "Try again in a moment."),
    (TooLarge, "Send less in one call."),
)


def answered(tool: Tool, *, status: int, headers: Headers, content: bytes) -> JsonObject:
    """The result of a call that the backend answered."""
    media_type = (
        next((value for name, value in headers if name == "content-type"), "").partition(";")[0].strip().lower()
    )
    if status >= CLIENT_ERROR:
        return failed(f"The service answered {status}. {_cut(_decoded(content))}".rstrip())
    if media_type.endswith(_JSON) or (not media_type and content):
        return _structured(tool, content)
    if media_type.startswith(("image/", "audio/")):
        kind = media_type.partition("/")[0]
        return {"content": [{"type": kind, "data": base64.b64encode(content).decode(), "mimeType": media_type}]}
    if media_type.startswith("text/") or not content:
        return {"content": [_text(_cut(_decoded(content)) or f"Done ({status}).")]}
    blob = base64.b64encode(content).decode()
    resource = {"uri": f"urn:tool-result:{tool.row.name}", "mimeType": media_type, "blob": blob}
    return {"content": [{"type": "resource", "resource": resource}]}


def words_of(refusal: Refusal) -> str:
    """What a model reads of a call that was refused: never a challenge, so that no client signs in again for it."""
    words = [refusal.detail]
    if isinstance(refusal, RateLimited):
        words.append(f"Try again in {refusal.retry_after_s} seconds.")
    words += [text for kind, text in _NEXT if isinstance(refusal, kind)][:1]
    return " ".join(words)


def challenged(refusal: InsufficientScope) -> JsonObject:
    """The result that lets ChatGPT ask for more permissions: the challenge stands in it (OpenAI's Apps SDK)."""
    challenges = [value for name, value in refusal.headers if name == "www-authenticate"]
    return {**failed(refusal.detail), "_meta": {"mcp/www_authenticate": challenges}}


def failed(words: str) -> JsonObject:
    """A result that says what went wrong, for the model to read."""
    return {"content": [_text(words)], "isError": True}


def _structured(tool: Tool, content: bytes) -> JsonObject:
    try:
        value = loads(content)
    except ValueError:
        return failed("The service sent an answer that cannot be read as JSON.")
    if tool.output_validator is not None and not tool.output_validator.is_valid(value):
        return failed("The service sent an answer that its own schema does not allow.")
    result: JsonObject = {"content": [_text(_cut(content.decode("utf-8")))]}
    # Before 2026-07-28 only an object can be structured
    return result | ({"structuredContent": value} if isinstance(value, dict) and _fits(content) else {})


def _fits(content: bytes) -> bool:
    return len(content) <= TEXT_MAX


def _cut(text: str) -> str:
    if len(text) <= TEXT_MAX:
        return text
    return (
        f"{text[:TEXT_MAX]}\n[Cut here: {len(text)} characters in all. Ask for less, such as one page or fewer fields.]"
    )


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "replace").replace("\x00", "")


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}
