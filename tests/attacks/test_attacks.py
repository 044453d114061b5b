"""Hostile requests as raw bytes, from outside, against the really started gateway."""

import time

import pytest

from tests.attacks.wire import Answer, authority, head, send
from tests.journeys import steps
from tests.journeys.server import Demo

ECHO = "/api/v1/echo"
EVIL = "user_2def"
MIB = 1024 * 1024

AMBIGUOUS_PATHS = [
    "/a%2fb",
    "/a%2Fb",
    "/a%5cb",
    "/a\\b",
    "/a%2e%2e/b",
    "/%2e%2e/b",
    "/.%2e/b",
    "/%2e/b",
    "/../b",
    "/a/../b",
    "/a/./b",
    "/a/..",
    "/a/.",
    "/a//b",
    "/a;x=1",
    "/a;x=1/b",
    "/a%3bx=1",
    "/..;/b",
    "/a%00b",
    "/a%0d%0ab",
    "/a%7fb",
    "/a%",
    "/a%zz",
    "/a%c0%ae",
    "/a%ff",
    "/a%252e%252e/b",
    "/a%252fb",
]

IDENTITY_NAMES = [
    "X-User-Id",
    "x-user-id",
    "X-USER-ID",
    "x_user_id",
    "X_User_Id",
    "X-User_Id",
    "X.User.Id",
    "x.USER_id",
    "X-User-Email",
    "X-Clerk-User-Id",
    "x_clerk_user_id",
    "X-Gpt-Clerk-User-Id",
    "X-Gateway-Identity",
    "X_Gateway_Identity",
    "X-Gateway-Anything",
    "X-Auth-Request-User",
    "X-Authenticated-UserId",
    "X-Client-Id",
    "X.Client.Id",
    "X-Scopes",
    "X-Roles",
    "X-Org-Id",
    "X-Tenant-Id",
    "X-Consumer-Id",
    "Any-User-Id",
    "Remote-User",
    "Remote_User",
    "X-Remote-User",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Auth-Token",
    "X-Access-Token",
]


@pytest.mark.parametrize("path", AMBIGUOUS_PATHS)
def test_ambiguous_path_gets_400(demo: Demo, tokens: steps.Tokens, path: str) -> None:
    assert only(send(demo.issuer, get(demo, tokens, f"{ECHO}{path}"))).status == 400


def test_absolute_target_never_names_another_host(demo: Demo, tokens: steps.Tokens) -> None:
    # RFC 9112 section 3.2.2 lets a server take it; what matters is that its authority decides nothing
    answer = only(send(demo.issuer, get(demo, tokens, f"http://evil.example{ECHO}/a")))
    assert answer.status == 200
    assert b"evil.example" not in answer.body


def test_target_with_two_leading_slashes_is_no_path(demo: Demo, tokens: steps.Tokens) -> None:
    assert only(send(demo.issuer, get(demo, tokens, f"//evil.example{ECHO}/a"))).status in {400, 404}


def test_fragment_reaches_no_backend(demo: Demo, tokens: steps.Tokens) -> None:
    answer = only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a#secret")))
    assert answer.status in {200, 400}
    assert b"secret" not in answer.body


@pytest.mark.parametrize("name", IDENTITY_NAMES)
def test_identity_header_from_outside_reaches_no_backend(demo: Demo, tokens: steps.Tokens, name: str) -> None:
    answer = only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a", f"{name}: {EVIL}")))
    assert answer.status in {200, 400}
    assert EVIL.encode() not in answer.body


@pytest.mark.parametrize(
    "listed", ["X-User-Id", "x-user-id, X-Gateway-Identity, X-Client-Id", "close, X-User-Id", "X-Request-Id"]
)
def test_connection_header_cannot_remove_what_the_gateway_adds(demo: Demo, tokens: steps.Tokens, listed: str) -> None:
    request = get(demo, tokens, f"{ECHO}/a", f"Connection: {listed}", f"X-User-Id: {EVIL}")
    received = only(send(demo.issuer, request)).json()["headers"]
    assert received["x-user-id"] == "user_2abc"
    assert {"x-gateway-identity", "x-client-id", "x-request-id"} <= set(received)


def test_header_named_in_connection_is_dropped(demo: Demo, tokens: steps.Tokens) -> None:
    request = get(demo, tokens, f"{ECHO}/a", "Connection: X-Colour", "X-Colour: blue")
    assert "x-colour" not in only(send(demo.issuer, request)).json()["headers"]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"])
def test_forwarding_headers_are_rebuilt(demo: Demo, tokens: steps.Tokens, name: str) -> None:
    answer = only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a", f"{name}: 203.0.113.99")))
    assert "203.0.113.99" not in answer.body.decode()


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_method_overrides_are_dropped(demo: Demo, tokens: steps.Tokens, name: str) -> None:
    answer = only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a", f"{name}: DELETE")))
    assert name.lower() not in answer.json()["headers"]


def test_two_hosts_get_400(demo: Demo, tokens: steps.Tokens) -> None:
    assert only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a", "Host: evil.example"))).status == 400


def test_two_authorizations_get_400(demo: Demo, tokens: steps.Tokens) -> None:
    assert only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a", "Authorization: Bearer other"))).status == 400


@pytest.mark.parametrize("path", [f"{ECHO}/a", "/oauth/token", "/accounts/login/"])
def test_two_content_types_get_400_on_both_roads(demo: Demo, tokens: steps.Tokens, path: str) -> None:
    lines = ("Content-Type: text/plain", "Content-Type: application/json", "Content-Length: 0")
    assert only(send(demo.issuer, request(demo, tokens, "POST", path, *lines))).status == 400


def test_two_different_content_lengths_get_400(demo: Demo, tokens: steps.Tokens) -> None:
    sent = request(demo, tokens, "POST", f"{ECHO}/a", "Content-Length: 1", "Content-Length: 2")
    assert_refused(send(demo.issuer, sent, b"xy"))


def test_two_equal_content_lengths_count_once(demo: Demo, tokens: steps.Tokens) -> None:
    # The HTTP parser merges them, as RFC 9110 section 8.6 allows, before the front door could see two
    sent = request(demo, tokens, "POST", f"{ECHO}/a", "Content-Length: 1", "Content-Length: 1")
    answers = send(demo.issuer, sent, b"x", get(demo, tokens, f"{ECHO}/next"))
    assert [answer.json()["path"] for answer in answers] == ["/echo/a", "/echo/next"]
    assert answers[0].json()["body"] == "x"


@pytest.mark.parametrize("length", ["+4", "-1", "0x4", "4_0", "4, 4", "99999999999999999999"])
def test_malformed_content_length_is_refused(demo: Demo, tokens: steps.Tokens, length: str) -> None:
    assert_refused(send(demo.issuer, request(demo, tokens, "POST", f"{ECHO}/a", f"Content-Length: {length}"), b"abcd"))


def test_content_length_with_transfer_encoding_runs_no_second_request(demo: Demo, tokens: steps.Tokens) -> None:
    hidden = get(demo, tokens, f"{ECHO}/smuggled")
    body = b"0\r\n\r\n" + hidden
    first = request(demo, tokens, "POST", f"{ECHO}/a", "Content-Length: 5", "Transfer-Encoding: chunked")
    answers = send(demo.issuer, first + body)
    assert len(answers) <= 1
    assert b"smuggled" not in b"".join(answer.body for answer in answers)


@pytest.mark.parametrize(
    "coding", ["xchunked", "chunked, identity", "identity, chunked", "chunked;q=1", "gzip, chunked"]
)
def test_obscured_transfer_encoding_runs_no_second_request(demo: Demo, tokens: steps.Tokens, coding: str) -> None:
    body = b"0\r\n\r\n" + get(demo, tokens, f"{ECHO}/smuggled")
    first = request(demo, tokens, "POST", f"{ECHO}/a", f"Transfer-Encoding: {coding}", f"Content-Length: {len(body)}")
    answers = send(demo.issuer, first + body)
    assert all(b'"path":"/echo/smuggled"' not in answer.body.replace(b" ", b"") for answer in answers)


def test_a_body_on_get_is_no_second_request(demo: Demo, tokens: steps.Tokens) -> None:
    hidden = get(demo, tokens, f"{ECHO}/smuggled")
    answers = send(demo.issuer, get(demo, tokens, f"{ECHO}/a", f"Content-Length: {len(hidden)}") + hidden)
    assert len(answers) == 1


def test_trailers_become_no_headers(demo: Demo, tokens: steps.Tokens) -> None:
    first = request(demo, tokens, "POST", f"{ECHO}/a", "Transfer-Encoding: chunked", "Content-Type: text/plain")
    answers = send(demo.issuer, first + f"2\r\nhi\r\n0\r\nX-User-Id: {EVIL}\r\n\r\n".encode())
    assert all(EVIL.encode() not in answer.body for answer in answers)


def test_oversized_body_gets_413_before_it_is_sent(demo: Demo, tokens: steps.Tokens) -> None:
    started = time.monotonic()
    announced = request(demo, tokens, "POST", f"{ECHO}/a", f"Content-Length: {2 * MIB}", "Content-Type: text/plain")
    answers = send(demo.issuer, announced)
    assert only(answers).status == 413
    assert time.monotonic() - started < 3


def test_oversized_chunked_body_gets_413(demo: Demo, tokens: steps.Tokens) -> None:
    first = request(demo, tokens, "POST", f"{ECHO}/a", "Transfer-Encoding: chunked", "Content-Type: text/plain")
    chunk = f"{65536:x}\r\n".encode() + b"x" * 65536 + b"\r\n"
    answers = send(demo.issuer, first, *[chunk] * 33, b"0\r\n\r\n")
    assert not answers or answers[0].status == 413


def test_body_of_the_limit_is_carried(demo: Demo, tokens: steps.Tokens) -> None:
    first = request(demo, tokens, "POST", f"{ECHO}/a", f"Content-Length: {MIB}", "Content-Type: text/plain")
    assert only(send(demo.issuer, first, b"x" * MIB)).status == 200


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([f"X-Long: {'x' * 40_000}"], 431),
        ([f"X-Many-{n}: 1" for n in range(150)], 431),
        (["Upgrade: websocket", "Connection: Upgrade"], 426),
        (["Expect: magic"], 417),
    ],
    ids=["one header of 40 kB", "150 headers", "upgrade", "unknown expectation"],
)
def test_head_beyond_the_rules_is_refused(demo: Demo, tokens: steps.Tokens, lines: list[str], status: int) -> None:
    assert only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a", *lines))).status in {status, 400}


def test_overlong_target_gets_414(demo: Demo, tokens: steps.Tokens) -> None:
    assert only(send(demo.issuer, get(demo, tokens, f"{ECHO}/{'a' * 20_000}"))).status == 414


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO"])
def test_methods_we_never_speak_are_refused(demo: Demo, tokens: steps.Tokens, method: str) -> None:
    assert only(send(demo.issuer, request(demo, tokens, method, f"{ECHO}/a"))).status in {400, 405, 501}


@pytest.mark.parametrize("where", ["query", "cookie"])
def test_token_counts_only_in_the_authorization_header(demo: Demo, tokens: steps.Tokens, where: str) -> None:
    query = f"?access_token={tokens.access}" if where == "query" else ""
    cookie = [f"Cookie: access_token={tokens.access}"] if where == "cookie" else []
    sent = head("GET", f"{ECHO}/a{query}", f"Host: {authority(demo.issuer)}", *cookie)
    assert only(send(demo.issuer, sent)).status == 401


def test_pipelined_calls_get_their_own_answers(demo: Demo, tokens: steps.Tokens) -> None:
    answers = send(demo.issuer, b"".join(get(demo, tokens, f"{ECHO}/call/{n}") for n in range(5)))
    assert [answer.json()["path"].rsplit("/", 1)[1] for answer in answers] == ["0", "1", "2", "3", "4"]


def test_refusals_are_problems_with_a_request_id(demo: Demo, tokens: steps.Tokens) -> None:
    answer = only(send(demo.issuer, get(demo, tokens, f"{ECHO}/a/../b")))
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert {"type", "title", "status", "detail", "error"} <= set(answer.json())


def request(demo: Demo, tokens: steps.Tokens, method: str, target: str, *lines: str) -> bytes:
    """A request head with one Host and one live token, then `lines`."""
    host = f"Host: {authority(demo.issuer)}"
    return head(method, target, host, f"Authorization: Bearer {tokens.access}", *lines)


def get(demo: Demo, tokens: steps.Tokens, target: str, *lines: str) -> bytes:
    """A GET head with one Host and one live token, then `lines`."""
    return request(demo, tokens, "GET", target, *lines)


def only(answers: list[Answer]) -> Answer:
    """The one answer."""
    assert len(answers) == 1, answers
    return answers[0]


def assert_refused(answers: list[Answer]) -> None:
    """Refused with 400, or the connection closed without an answer."""
    assert not answers or [answer.status for answer in answers] == [400]
