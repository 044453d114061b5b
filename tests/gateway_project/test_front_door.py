"""The front door: each rule, its exact status, and what it lets through."""

import re
from collections.abc import Sequence

import pytest

from gateway_project.front_door import HEADER_MAX, HEADERS_MAX, HEADERS_TOTAL_MAX, METHODS, TARGET_MAX, inspect
from proxy.refusals import Refusal
from tests.proxy.asgi_client import http_scope

HOSTS = ["gateway.example", "127.0.0.1"]
HOST = ("host", "gateway.example")


def refused(
    *headers: tuple[str, str], method: str = "GET", target: str = "/x", hosts: Sequence[str] = HOSTS, **changes: object
) -> tuple[int, str] | None:
    """Status and reason of the refusal, None when the request is let in."""
    try:
        inspect(http_scope(method, target, *headers, **changes), allowed_hosts=hosts)
    except Refusal as refusal:
        # Whoever is refused here may have more on the wire that nobody should read as a request
        closes = ("connection", "close") in refusal.headers
        return refusal.status, refusal.reason if closes else f"{refusal.reason}, and the connection stays open"
    return None


@pytest.mark.parametrize("method", METHODS)
def test_an_ordinary_request_is_let_in(method: str) -> None:
    assert refused(HOST, ("accept", "*/*"), ("authorization", "Bearer x"), method=method) is None


@pytest.mark.parametrize("path", ["/api/v1/gpt/jobs", "/oauth/token", "/admin/", "/", "/.well-known/jwks.json"])
def test_the_same_rules_hold_on_both_roads(path: str) -> None:
    assert refused(HOST, target=path) is None
    assert refused(HOST, HOST, target=path) == (400, "duplicate_header")


# The request line


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "DEBUG"])
def test_a_method_that_nothing_here_answers_is_405(method: str) -> None:
    assert refused(HOST, method=method) == (405, "method_not_allowed")


@pytest.mark.parametrize("method", ["FOO", "get", "Post", "GETS", "PROPFIND", "", "GET\x00"])
def test_an_unknown_method_is_501(method: str) -> None:
    assert refused(HOST, method=method) == (501, "unknown_method")


def test_a_405_names_what_is_answered() -> None:
    with pytest.raises(Refusal) as refusal:
        inspect(http_scope("TRACE", "/", HOST), allowed_hosts=HOSTS)
    assert dict(refusal.value.headers)["allow"] == ", ".join(METHODS)


@pytest.mark.parametrize("version", ["2", "2.0", "3", "0.9", "1.2", "1.10", ""])
def test_another_version_is_505(version: str) -> None:
    assert refused(HOST, http_version=version) == (505, "http_version")


@pytest.mark.parametrize("version", ["1.1", "1.0", "1"])
def test_http_1_is_spoken(version: str) -> None:
    assert refused(HOST, http_version=version) is None


def test_a_target_may_have_8191_bytes() -> None:
    assert refused(HOST, target="/" + "a" * (TARGET_MAX - 2)) is None
    assert refused(HOST, target="/" + "a" * (TARGET_MAX - 1)) == (414, "uri_too_long")
    assert refused(HOST, target="/?" + "a" * TARGET_MAX) == (414, "uri_too_long")


@pytest.mark.parametrize("target", ["*", "http://evil.example/x", "evil.example:443", "", "x", "\\x"])
def test_a_target_that_is_no_path_is_400(target: str) -> None:
    assert refused(HOST, raw_path=target.encode()) == (400, "target_form")


# Sizes


def test_a_hundred_headers_and_not_one_more() -> None:
    headers = [(f"x-{number}", "") for number in range(HEADERS_MAX - 1)]
    assert refused(HOST, *headers) is None
    assert refused(HOST, *headers, ("x-one-more", "")) == (431, "header_fields_too_large")


def test_one_header_of_8_kib() -> None:
    assert refused(HOST, ("x", "a" * (HEADER_MAX - 1))) is None
    assert refused(HOST, ("x", "a" * HEADER_MAX)) == (431, "header_fields_too_large")


def test_32_kib_together() -> None:
    five = [(f"x-{number}", "a" * 8000) for number in range(5)]
    assert refused(HOST, *five[:4]) is None
    assert sum(len(name) + len(value) for name, value in five) > HEADERS_TOTAL_MAX
    assert refused(HOST, *five) == (431, "header_fields_too_large")


# Characters


@pytest.mark.parametrize("value", ["a\x00b", "a\rb", "a\nb", "a\x7fb", "caf\xe9", "\x80", "a\x1bb", "a\x0bb"])
def test_a_value_outside_printable_ascii_is_400(value: str) -> None:
    assert refused(HOST, ("x-a", value)) == (400, "header_character")


@pytest.mark.parametrize("name", ["", "x a", "x:", "x\t", "caf\xe9", "x\x00", "x(", "x/", '"x"', "x\r\ny", "x,y"])
def test_a_name_that_is_no_token_is_400(name: str) -> None:
    assert refused(HOST, (name, "1")) == (400, "header_character")


@pytest.mark.parametrize("header", [("x-a", "a\tb"), ("x-a", ""), ("x_a", "1"), ("x.a~!#$%&'*+^`|", "1")])
def test_every_token_and_printable_value_is_let_in(header: tuple[str, str]) -> None:
    assert refused(HOST, header) is None


# What may be there once


@pytest.mark.parametrize("name", ["host", "authorization", "content-length", "content-type", "transfer-encoding"])
def test_what_decides_may_be_said_once(name: str) -> None:
    value = {"host": "gateway.example", "content-length": "4", "transfer-encoding": "chunked"}.get(name, "x")
    headers = [HOST] if name != "host" else []
    assert refused(*headers, (name, value)) is None
    assert refused(*headers, (name, value), (name, value)) == (400, "duplicate_header")


# Host


@pytest.mark.parametrize("host", ["gateway.example", "gateway.example:8000", "GATEWAY.example", "127.0.0.1:1"])
def test_a_known_host_is_let_in(host: str) -> None:
    assert refused(("host", host)) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "gateway.example.evil.example", "evil.example:80@gateway.example", "gateway.example@evil.example",
     "gateway.example/", "gateway.example#", "gateway.example\\", " gateway.example", "gateway.example,evil.example",
     "gateway.example:8o", "[::1]", "0x7f.1", "localhost"],
)  # fmt: skip
def test_an_unknown_host_is_400(host: str) -> None:
    assert refused(("host", host)) == (400, "unknown_host")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_without_host_is_400(version: str) -> None:
    assert refused(http_version=version) == (400, "missing_host")


def test_an_empty_host_is_400() -> None:
    assert refused(("host", "")) == (400, "missing_host")
    assert refused(("host", ""), http_version="1.0") == (400, "unknown_host")


def test_where_the_name_does_not_matter_any_will_do_but_one_it_must_be() -> None:
    assert refused(("host", "10.0.0.7:8000"), hosts=()) is None
    assert refused(hosts=()) == (400, "missing_host")
    assert refused(("host", "a"), ("host", "b"), hosts=()) == (400, "duplicate_header")


# Framing


def test_two_framings_are_400() -> None:
    assert refused(HOST, ("content-length", "4"), ("transfer-encoding", "chunked")) == (400, "two_framings")


@pytest.mark.parametrize("length", ["+4", "-1", "0x4", "4_0", " 4", "4;a", "4, 4", "", "4.0", "1e3", "9" * 19, "4 4"])
def test_a_length_that_is_no_number_is_400(length: str) -> None:
    assert refused(HOST, ("content-length", length), method="POST") == (400, "content_length")


@pytest.mark.parametrize("length", ["0", "4", "00000000004", "9" * 18])
def test_a_length_that_is_one_is_let_in(length: str) -> None:
    assert refused(HOST, ("content-length", length), method="POST") is None


@pytest.mark.parametrize(
    "coding",
    ["xchunked", "chunked, identity", "identity, chunked", "identity", "chunked;q=1", "gzip, chunked", '"chunked"',
     "chunked, chunked", " chunked", "chunked\t", ""],
)  # fmt: skip
def test_another_transfer_coding_is_400(coding: str) -> None:
    assert refused(HOST, ("transfer-encoding", coding), method="POST") == (400, "transfer_coding")


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED"])
def test_chunks_are_let_in(coding: str) -> None:
    assert refused(HOST, ("transfer-encoding", coding), method="POST") is None


def test_trailers_are_400() -> None:
    assert refused(HOST, ("transfer-encoding", "chunked"), ("trailer", "X-User-Id")) == (400, "trailer")


# Another protocol


@pytest.mark.parametrize("protocol", ["websocket", "WebSocket", "h2c, websocket", "TLS/1.0", ""])
def test_an_upgrade_is_426_and_says_what_is_spoken(protocol: str) -> None:
    assert refused(HOST, ("connection", "upgrade"), ("upgrade", protocol)) == (426, "upgrade_refused")
    with pytest.raises(Refusal) as refusal:
        inspect(http_scope("GET", "/", HOST, ("upgrade", protocol)), allowed_hosts=HOSTS)
    assert dict(refusal.value.headers)["upgrade"] == "HTTP/1.1"


def test_an_offer_of_http_2_is_passed_over() -> None:
    assert refused(HOST, ("connection", "upgrade, http2-settings"), ("upgrade", "h2c")) is None


@pytest.mark.parametrize("expectation", ["200-ok", "", "100-continue, x", "100"])
def test_another_expectation_is_417(expectation: str) -> None:
    assert refused(HOST, ("expect", expectation), method="POST") == (417, "expectation_failed")


@pytest.mark.parametrize("expectation", ["100-continue", "100-Continue"])
def test_a_client_may_wait_for_100(expectation: str) -> None:
    assert refused(HOST, ("expect", expectation), method="POST") is None


def test_no_refusal_repeats_what_was_sent() -> None:
    with pytest.raises(Refusal) as refusal:
        inspect(http_scope("GET", "/", HOST, ("x-a", "secret\x00")), allowed_hosts=HOSTS)
    assert not re.search("secret", refusal.value.detail)
