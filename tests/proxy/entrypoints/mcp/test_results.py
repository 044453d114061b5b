"""What a model reads of an answer: files, faults, and answers that are not what they were said to be."""

import base64
import hashlib
import json
from typing import Any

import pytest

from proxy.entrypoints.mcp.results import answered, words_of
from proxy.refusals import (
    BackendClosed,
    BackendUnreachable,
    BreakerOpen,
    ConnectTimeout,
    DeadlinePassed,
    RateLimited,
    Refusal,
    TooLarge,
    ToolResultTooLarge,
)
from tests.proxy.catalogue.test_tools import OBJECT, tool

READS, WRITES = tool(), tool(methods=("POST",))
DESCRIBED = tool(response_schema=OBJECT)
PNG = b"\x89PNG\r\n\x1a\n"
PAGE = b"<html><body>Traceback (most recent call last): secret</body></html>"


def of(content: bytes, media_type: str = "", *, status: int = 200, made: Any = READS, **headers: str) -> dict[str, Any]:
    sent = [("content-type", media_type)] if media_type else []
    sent += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return answered(made, status=status, headers=tuple(sent), content=content)


def words(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


@pytest.mark.parametrize(
    ("content", "media_type", "kind"),
    [
        (PNG, "image/png", "image"),
        (b"\xff\xd8\xff\xe0", "image/jpeg", "image"),
        (b"GIF89a", "image/gif", "image"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "Image/WebP; x=1", "image"),
        (b"ID3", "audio/mpeg", "audio"),
        (b"a,b", "text/csv", "text"),
        (b"<p>", "text/html; charset=utf-8", "text"),
    ],
)
def test_content_is_of_the_kind_that_it_is(content: bytes, media_type: str, kind: str) -> None:
    (block,) = of(content, media_type)["content"]
    assert block["type"] == kind
    if kind != "text":
        assert base64.b64decode(block["data"]) == content
        assert block["mimeType"] == media_type.partition(";")[0].lower()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"<svg/>", "image/svg+xml"),
        (b"<a/>", "application/xml"),
        (b"a: 1", "application/yaml"),
        (b"{}\n", "application/jsonl"),
    ],
)
def test_a_text_of_another_kind_is_a_text_resource(content: bytes, media_type: str) -> None:
    (block,) = of(content, media_type)["content"]
    resource = block["resource"]
    assert (block["type"], resource["mimeType"], resource["text"]) == ("resource", media_type, content.decode())
    assert "blob" not in resource


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7", "application/pdf"),
        # A model is handed no picture that it cannot open
        (b"II*\x00", "image/tiff"),
        (PAGE, "image/png"),
    ],
)
def test_another_file_is_a_blob_with_words_about_it(content: bytes, media_type: str) -> None:
    result = of(content, media_type, content_disposition='attachment; filename="/tmp/../bill\x1b.pdf"')
    said, block = result["content"]
    assert said["text"] == f"A file: bill.pdf, {media_type}, {len(content)} bytes."
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    assert block["resource"] == {
        "uri": f"ni:///sha-256;{digest}", "mimeType": media_type, "blob": base64.b64encode(content).decode(),
    }  # fmt: skip


def test_a_file_that_no_result_carries_is_an_error() -> None:
    result = of(b"\x00" * (3 * 1024 * 1024 + 1), "application/zip")
    assert result["isError"] is True
    assert "3145729 bytes" in words(result)


@pytest.mark.parametrize("charset", ["iso-8859-1", '"windows-1252"', "UTF-8"])
def test_a_text_is_read_in_its_character_set(charset: str) -> None:
    content = "Ação".encode(charset.strip('"'))
    assert words(of(content, f"text/csv; charset={charset}")) == "Ação"


def test_an_answer_without_content_says_what_it_has() -> None:
    assert (
        words(of(b"", "application/json", status=201, location="/api/v1/jobs/7"))
        == "Done (201). It is at /api/v1/jobs/7."
    )
    assert words(of(b"", status=204)) == "Done (204)."
    assert words(of(b"<a>", "text/html", status=302, location="/api/v1/jobs/7")).endswith(
        "see /api/v1/jobs/7, with the tool that reads it."
    )
    assert words(of(b"", status=304)) == "The service answered 304 and sent nothing."


@pytest.mark.parametrize("content", [b"", b'{"a": "x"}', b"[]"])
def test_what_the_schema_does_not_allow_is_shown_and_marked(content: bytes) -> None:
    """A client throws a result away that lacks the document its tool promises, unless it is an error."""
    result = of(content, "application/json", made=DESCRIBED)
    assert result["isError"] is True
    assert "carried out" in words(result)
    assert "structuredContent" not in result
    assert content.decode() in result["content"][1]["text"]


def test_where_there_is_a_schema_a_long_answer_still_has_its_document() -> None:
    for document in ({"a": 1, "rows": ["x" * 1000] * 200}, {"a": 1, "text": "y" * 250_000}):
        result = of(json.dumps(document).encode(), "application/json", made=DESCRIBED)
        assert result["structuredContent"]["a"] == 1
        assert "Shown: " in result["content"][-1]["text"]


@pytest.mark.parametrize(
    ("status", "made", "said"),
    [
        (400, READS, "Mend the arguments"),
        (422, WRITES, "Mend the arguments"),
        (401, READS, "Signing in again does not help"),
        (403, READS, "does not let this person"),
        (404, READS, "check them, or look for it with another tool"),
        (409, WRITES, "read that again before you decide"),
        (412, WRITES, "read that again before you decide"),
        (429, READS, "try again later"),
        (500, READS, "Try again in a moment"),
        (502, WRITES, "may or may not have taken effect"),
        (599, WRITES, "The service answered 599. The call may"),
        (418, READS, "The service answered 418 (I'm a Teapot)."),
    ],
)
def test_an_error_says_what_to_do(status: int, made: Any, said: str) -> None:
    result = of(b"", status=status, made=made)
    assert result["isError"] is True
    assert said in words(result)


def test_an_error_says_when_to_come_back() -> None:
    assert "try again in 7 seconds." in words(of(b"", status=429, retry_after="7"))
    assert "Try again in 7 seconds." in words(of(b"", status=503, retry_after="7"))
    assert "in a moment" in words(of(b"", status=503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"))


@pytest.mark.parametrize(
    "faults",
    [
        {"errors": [{"detail": "must be positive", "pointer": "#/age"}]},
        {"errors": [{"detail": "must be positive", "source": {"pointer": "#/age"}}]},
        {"errors": {"#/age": ["must be positive"]}},
        {"invalid-params": [{"name": "#/age", "reason": "must be positive"}]},
        {"violations": [{"propertyPath": "#/age", "title": "must be positive"}]},
        {"detail": [{"loc": ["#/age"], "msg": "must be positive"}]},
    ],
)
def test_the_fields_of_a_problem_are_named_however_long_it_is(faults: dict[str, Any]) -> None:
    short = words(of(json.dumps(faults).encode(), "application/problem+json", status=422))
    assert short.endswith(f"\n{json.dumps(faults)}")
    long = words(of(json.dumps({"title": "x" * 9000} | faults).encode(), "application/problem+json", status=422))
    assert "\n#/age: must be positive\n" in long
    assert len(long) < 5000


@pytest.mark.parametrize(
    "content", [b"[1]", b'{"errors": [7, {"field": null}, []], "detail": "x"}', b"{", b'{"errors": 7}']
)
def test_whatever_an_error_holds_is_read(content: bytes) -> None:
    padded = content + b" " * 5000 + b"x" * 5000
    for sent in (content, padded):
        assert of(sent, "application/json", status=400)["isError"] is True


@pytest.mark.parametrize("media_type", ["text/html", "image/png", "application/zip"])
def test_a_page_is_no_word_for_a_model(media_type: str) -> None:
    assert "Traceback" not in words(of(PAGE, media_type, status=500))


@pytest.mark.parametrize(
    ("refusal", "reading", "writing"),
    [
        (DeadlinePassed(), "ask for less", "may or may not have taken effect"),
        (ConnectTimeout(), "Try again later", "Nothing was sent"),
        (BackendUnreachable(), "Try again later", "Nothing was sent"),
        (BackendClosed(), "Try again later", "may or may not have taken effect"),
        (ToolResultTooLarge(9), "one page or fewer fields", "was carried out: do not repeat it"),
        (TooLarge(9), "Send less in one call", "Send less in one call"),
        (BreakerOpen(retry_after_s=9), "Try again in 9 seconds.", "Try again in 9 seconds."),
        (RateLimited(retry_after_s=9, resets_at=1, headers=()), "Try again in 9 seconds.", "Try again in 9 seconds."),
    ],
)
def test_a_refusal_says_what_to_do(refusal: Refusal, reading: str, writing: str) -> None:
    assert reading in words_of(refusal, is_read_only=True)
    assert writing in words_of(refusal)
