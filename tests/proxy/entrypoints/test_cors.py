"""Cross-origin answers (Fetch standard): exact origins, never with credentials."""

import pytest

from proxy.entrypoints.cors import Cors
from proxy.pipeline.call import RawHeaders

CORS = Cors(["https://chat.openai.com", "https://chatgpt.com", "https://portal.example:8443"])

FOREIGN = [
    "https://evil.example", "null", "https://chatgpt.com.evil.example", "https://evilchatgpt.com", "http://chatgpt.com",
    "https://chatgpt.com:443", "https://chatgpt.com/", "https://sub.chatgpt.com", "HTTPS://CHATGPT.COM", "*", "",
    "https://portal.example", " https://chatgpt.com", "https://chatgpt.com, https://evil.example",
]  # fmt: skip


def origin(*values: str) -> RawHeaders:
    """A request's headers with these origins."""
    return ((b"host", b"x"), *((b"origin", value.encode()) for value in values))


@pytest.mark.parametrize("value", ["https://chat.openai.com", "https://chatgpt.com", "https://portal.example:8443"])
def test_a_listed_origin_may_read_answers(value: str) -> None:
    headers = dict(CORS.headers(origin(value)))
    assert headers["access-control-allow-origin"] == value
    exposed = set(headers["access-control-expose-headers"].split(", "))
    assert {"WWW-Authenticate", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"} <= exposed


@pytest.mark.parametrize("value", FOREIGN)
def test_no_other_origin_is_told_anything(value: str) -> None:
    assert CORS.headers(origin(value)) == ()
    assert not any(name.startswith("access-control") for name, _value in CORS.preflight(origin(value)))


def test_neither_is_a_caller_without_or_with_two_origins() -> None:
    assert CORS.headers(origin()) == ()
    assert CORS.headers(origin("https://chatgpt.com", "https://chatgpt.com")) == ()


def test_credentials_are_never_allowed() -> None:
    for headers in (CORS.headers(origin("https://chatgpt.com")), CORS.preflight(origin("https://chatgpt.com"))):
        assert "access-control-allow-credentials" not in dict(headers)


def test_a_preflight_is_answered_for_everything_a_client_sends() -> None:
    headers = dict(CORS.preflight(origin("https://chatgpt.com")))
    assert headers["access-control-allow-origin"] == "https://chatgpt.com"
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(headers["access-control-allow-methods"].split(", "))
    assert {"Authorization", "Content-Type", "X-API-Key"} <= set(headers["access-control-allow-headers"].split(", "))
    assert headers["access-control-max-age"] == "600"


def test_every_preflight_says_that_it_depends_on_the_origin() -> None:
    for request in (origin(), origin("https://evil.example"), origin("https://chatgpt.com")):
        headers = dict(CORS.preflight(request))
        assert (headers["vary"], headers["cache-control"], headers["content-length"]) == ("Origin", "no-store", "0")
