"""What of a backend's answer crosses to the client, and what the gateway says in its place."""

import pytest

from proxy.catalogue.plans import BackendPlan
from proxy.pipeline.answer_headers import announced_length, outward
from proxy.refusals import BackendNonsense
from tests.proxy.plans import PREFIX, backend_plan

BACKEND = backend_plan("http://careers.internal:8080/careers/api/v2")
JSON = ("Content-Type", "application/json")


def answered(
    *headers: tuple[str, str], mode: str = "oauth", status: int = 200, backend: BackendPlan = BACKEND
) -> list[tuple[str, str]]:
    """The headers that go out."""
    return list(outward(backend, mode=mode, status=status, headers=headers))


def values(name: str, sent: list[tuple[str, str]]) -> list[str]:
    """Every value of a header."""
    return [value for other, value in sent if other == name]


def one(name: str, sent: list[tuple[str, str]]) -> str:
    """The value of a header that must be there exactly once."""
    (value,) = values(name, sent)
    return value


DROPPED = [
    "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade", "Set-Cookie", "Set-Cookie2", "WWW-Authenticate", "Link", "Alt-Svc", "Server", "X-Powered-By", "Via",
    "Date", "X-Request-Id", "Refresh", "SourceMap", "Strict-Transport-Security", "Content-Security-Policy-Report-Only",
    "X-Frame-Options", "X-Content-Type-Options", "Permissions-Policy", "Referrer-Policy", "Clear-Site-Data",
    "Service-Worker-Allowed", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Report-To", "NEL",
    "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Anything", "X-Accel-Redirect",
    "X-Accel-Expires", "X-Sendfile", "X-Gateway-Identity", "X-User-Id", "X-Client-Id", "X-Scopes", "RateLimit",
    "RateLimit-Policy", "Pragma", "Expires", "Surrogate-Control", "CDN-Cache-Control",
]  # fmt: skip


@pytest.mark.parametrize("name", DROPPED)
@pytest.mark.parametrize("mode", ["oauth", "public"])
def test_what_never_passes_outward(name: str, mode: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        assert values(name.lower(), answered(JSON, (spelling, "evil"), mode=mode)) == [], spelling


@pytest.mark.parametrize(
    "name", ["Content-Type", "ETag", "Last-Modified", "Content-Language", "Retry-After", "X-Total"]
)
def test_harmless_headers_pass(name: str) -> None:
    assert one(name.lower(), answered((name, "value"))) == "value"


def test_repeated_headers_pass_in_their_order() -> None:
    assert values("x-part", answered(JSON, ("X-Part", "1"), ("X-Other", "2"), ("x-part", "3"))) == ["1", "3"]


def test_what_the_backends_connection_names_does_not_pass() -> None:
    sent = answered(JSON, ("Connection", "close, X-Internal"), ("X-Internal", "1"), ("X-Kept", "2"))
    assert values("x-internal", sent) == []
    assert one("x-kept", sent) == "2"


@pytest.mark.parametrize(
    ("backend_says", "client_gets"),
    [
        (None, "no-store"),
        ("", "no-store"),
        ("no-store", "no-store"),
        ("public, max-age=600", "private, max-age=600"),
        ("private, max-age=60", "private, max-age=60"),
        ("max-age=600, s-maxage=900, stale-while-revalidate=30", "private, max-age=600"),
        ("PUBLIC, No-Store", "no-store"),
        ("no-cache", "private, no-cache"),
        ("public", "private"),
    ],
)
def test_nobody_shares_what_belongs_to_one_person(backend_says: str | None, client_gets: str) -> None:
    headers = [JSON] + ([("Cache-Control", backend_says)] if backend_says is not None else [])
    assert one("cache-control", answered(*headers)) == client_gets


def test_two_cache_controls_are_one() -> None:
    sent = answered(JSON, ("Cache-Control", "max-age=600"), ("cache-control", "public"))
    assert one("cache-control", sent) == "private, max-age=600"


@pytest.mark.parametrize(
    ("backend_says", "client_gets"), [("public, max-age=600", "public, max-age=600"), (None, "no-store")]
)
def test_public_operations_may_be_cached_when_the_backend_says_so(backend_says: str | None, client_gets: str) -> None:
    headers = [JSON] + ([("Cache-Control", backend_says)] if backend_says is not None else [])
    assert one("cache-control", answered(*headers, mode="public")) == client_gets


@pytest.mark.parametrize(
    ("backend_says", "mode", "client_gets"),
    [
        ([], "oauth", "Origin, Authorization"),
        ([], "public", "Origin"),
        (["Accept"], "oauth", "Accept, Origin, Authorization"),
        (["accept", "ORIGIN, Accept-Language"], "public", "accept, Origin, Accept-Language"),
        (["*"], "oauth", "*"),
    ],
)
def test_vary_names_whatever_the_answer_depends_on(backend_says: list[str], mode: str, client_gets: str) -> None:
    assert one("vary", answered(JSON, *(("Vary", value) for value in backend_says), mode=mode)) == client_gets


@pytest.mark.parametrize(
    ("location", "client_gets"),
    [
        ("/careers/api/v2/jobs/7", f"{PREFIX}/jobs/7"),
        ("/careers/api/v2", PREFIX),
        ("/careers/api/v2/", f"{PREFIX}/"),
        ("http://careers.internal:8080/careers/api/v2/jobs?a=b&c=%20#x", f"{PREFIX}/jobs?a=b&c=%20#x"),
        ("HTTP://CAREERS.internal:8080/careers/api/v2/jobs", f"{PREFIX}/jobs"),
    ],
)
@pytest.mark.parametrize("name", ["Location", "Content-Location"])
def test_a_redirect_below_the_base_becomes_one_of_the_gateway(name: str, location: str, client_gets: str) -> None:
    assert one(name.lower(), answered(JSON, (name, location), status=302)) == client_gets


ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "///evil.example/careers/api/v2/x", "\\\\evil.example",
    "/\\evil.example", "javascript:alert(1)", "data:text/html,x", "http:evil.example",
    "http:///careers/api/v2/x", "https:/careers/api/v2/x",
    # The backend's own, where clients cannot go
    "/", "/admin", "/careers/api/v2x", "/careers/api", "/careers/api/v2/../../admin", "/careers/api/v2/%2e%2e/admin",
    "/careers/api/v2//evil.example", "/careers/api/v2/a%2fb", "/careers/api/v2/a;b", "jobs/7", "../admin",
    # Nearly the backend
    "https://careers.internal:8080/careers/api/v2/x", "http://careers.internal/careers/api/v2/x",
    "http://careers.internal:8080@evil.example/careers/api/v2/x", "http://a@careers.internal:8080/careers/api/v2/x",
    "http://careers.internal.evil.example:8080/careers/api/v2/x", "//careers.internal:8080/careers/api/v2/x",
    "http://careers.internal:x/careers/api/v2/x", "http://[careers.internal:8080/careers/api/v2/x",
    # Not a URL
    "", "/careers/api/v2/é", "/careers/api/v2/a b", "/careers/api/v2/a\r\nSet-Cookie: a=b", "/careers/api/v2/\x00",
]  # fmt: skip


@pytest.mark.parametrize("location", ELSEWHERE)
@pytest.mark.parametrize("name", ["Location", "Content-Location"])
def test_every_other_location_is_taken_away(name: str, location: str) -> None:
    assert values(name.lower(), answered(JSON, (name, location), status=302)) == []


@pytest.mark.parametrize(
    "location", ["//evil.example/x", "/\\evil.example", "///evil.example", "/%5cevil.example", "//"]
)
def test_a_backend_at_the_root_cannot_lead_elsewhere_either(location: str) -> None:
    root = backend_plan("http://careers.internal:8080")
    sent = values("location", answered(JSON, ("Location", location), status=302, backend=root))
    assert all(location == PREFIX or location.startswith(f"{PREFIX}/") for location in sent)


def test_two_locations_are_none() -> None:
    sent = answered(JSON, ("Location", "/careers/api/v2/a"), ("Location", "/careers/api/v2/b"), status=302)
    assert values("location", sent) == []


def test_a_challenge_passes_only_where_the_backend_is_the_resource_server() -> None:
    challenge = ("WWW-Authenticate", 'Bearer realm="theirs"')
    assert one("www-authenticate", answered(challenge, mode="passthrough", status=401)) == 'Bearer realm="theirs"'
    assert values("www-authenticate", answered(challenge, mode="oauth", status=401)) == []


@pytest.mark.parametrize(
    "media_type",
    ["text/html", "TEXT/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf",
     "application/javascript", "text/css", "multipart/mixed", "text/plain, text/html", "x", ""],
)  # fmt: skip
def test_active_content_is_sandboxed(media_type: str) -> None:
    assert "sandbox" in one("content-security-policy", answered(("Content-Type", media_type)))


def test_several_media_types_are_sandboxed() -> None:
    twice = answered(("Content-Type", "application/json; a=b"), ("Content-Type", "text/html"))
    at_once = answered(("Content-Type", "application/json; a=b, text/html"))
    for sent in (twice, at_once):
        assert "sandbox" in one("content-security-policy", sent)


def test_an_answer_without_a_type_is_sandboxed_unless_it_has_no_body() -> None:
    assert "sandbox" in one("content-security-policy", answered())
    assert values("content-security-policy", answered(status=204)) == []
    assert values("content-security-policy", answered(status=304)) == []


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", "text/csv", "image/png"])
def test_passive_content_is_left_alone(media_type: str) -> None:
    assert values("content-security-policy", answered(("Content-Type", media_type))) == []


def test_the_backends_own_policy_does_not_stand_beside_ours() -> None:
    sent = answered(("Content-Type", "text/html"), ("Content-Security-Policy", "default-src *"))
    assert one("content-security-policy", sent) == "default-src 'none'; sandbox; frame-ancestors 'none'"


def test_proxies_do_not_hold_events_back() -> None:
    assert one("x-accel-buffering", answered(("Content-Type", "text/event-stream; charset=utf-8"))) == "no"
    assert values("x-accel-buffering", answered(JSON)) == []


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([], None),
        ([("Transfer-Encoding", "chunked")], None),
        ([("Content-Length", "0")], 0),
        ([("content-length", " 12 ")], 12),
        ([("Content-Length", "12"), ("content-length", "12")], 12),
    ],
)
def test_an_announced_length_is_a_number(headers: list[tuple[str, str]], length: int | None) -> None:
    assert announced_length(headers) == length


@pytest.mark.parametrize(
    "values", [["12", "13"], ["12, 12"], ["-1"], ["+1"], ["0x1"], ["1_0"], ["\u0661"], [""], ["1 2"]]
)
def test_an_announced_length_that_is_none_is_nonsense(values: list[str]) -> None:
    with pytest.raises(BackendNonsense) as refusal:
        announced_length([("Content-Length", value) for value in values])
    assert (refusal.value.status, refusal.value.reason) == (502, "backend_framing")


def test_two_framings_are_nonsense() -> None:
    with pytest.raises(BackendNonsense):
        announced_length([("Content-Length", "12"), ("Transfer-Encoding", "chunked")])


@pytest.mark.parametrize("values", [["gzip, chunked"], ["gzip", "chunked"], ["chunked", "chunked"], ["gzip"]])
def test_a_transfer_coding_that_nobody_asked_for_is_nonsense(values: list[str]) -> None:
    with pytest.raises(BackendNonsense) as refusal:
        announced_length([("Transfer-Encoding", value) for value in values])
    assert refusal.value.reason == "backend_framing"
    assert announced_length([("transfer-encoding", "Chunked")]) is None


def test_the_length_is_for_the_gateway_to_say() -> None:
    assert values("content-length", answered(JSON, ("Content-Length", "12"), ("Content-Length", "12"))) == []
