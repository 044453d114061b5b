"""From an allowed call to the bytes a backend receives, and back within one deadline."""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth_provider.keys.signing import LoadedKey
from proxy.catalogue.credentials import ClientCredentials
from proxy.catalogue.snapshot import BackendPlan
from proxy.pipeline import route as stage
from proxy.pipeline.call import Answer, Constrained, Principal, Received, Validated
from proxy.pipeline.route import route
from proxy.pipeline.transform import transform
from proxy.refusals import BackendNonsense, BackendUnreachable, DeadlinePassed, Unavailable
from proxy.upstream.pool import PooledTransport
from proxy.upstream.service_tokens import ServiceTokens, TokenTransport
from proxy.upstream.token_request import FetchedToken
from proxy.upstream.transport import Transport
from tests.proxy.plans import ANA, NOBODY, PREFIX, GivenBody, backend_plan, identified, operation_plan, received
from tests.proxy.raw_backend import RawBackend, Wire, answer, chunk, chunked, once, silence

KEY = LoadedKey(kid="k1", private=ec.generate_private_key(ec.SECP256R1()), signs_from=0.0)
LIMIT_HEADERS = (("ratelimit", '"default";r=2;t=60'),)


@pytest.fixture
async def transport() -> AsyncIterator[PooledTransport]:
    """The real way out."""
    made = PooledTransport()
    yield made
    await made.aclose()


class Road:
    """Routes calls to one backend."""

    def __init__(self, transport: Transport, backend: RawBackend) -> None:
        self._transport = transport
        self.backend = backend

    def plan(self, **changes: Any) -> BackendPlan:
        """The backend as the catalogue has it."""
        return backend_plan(f"{self.backend.url}/careers", **changes)

    async def call(
        self,
        request: Received | None = None,
        *,
        principal: Principal = ANA,
        plan: BackendPlan | None = None,
        mode: str = "oauth",
        key: LoadedKey | None = KEY,
        late_s: float = 0.0,
    ) -> Answer:
        """Route one call that arrived `late_s` ago."""
        request = replace(request or received(), started=asyncio.get_running_loop().time() - late_s)
        there = identified(request, plan or self.plan(), principal, signing_keys=(key,) if key else ())
        validated = Validated(transform(there), operation_plan(auth_mode=mode))
        return await route(Constrained(validated, LIMIT_HEADERS), self._transport)

    async def whole(self, request: Received | None = None, **changes: object) -> tuple[Answer, bytes]:
        """The same, with the body."""
        routed = await self.call(request, **changes)  # type: ignore[arg-type]
        content = b""
        try:
            while piece := await routed.stream.read():
                content += piece
        finally:
            await routed.stream.aclose()
        return routed, content


@pytest.fixture
def road(transport: PooledTransport, backend: RawBackend) -> Road:
    """To the backend of the test."""
    return Road(transport, backend)


def claims(assertion: str) -> dict[str, object]:
    """What a backend reads in an assertion, once verified."""
    return jwt.decode(assertion, ECKey.import_key(KEY.private.public_key()), algorithms=["ES256"]).claims


# Inward


async def test_the_backend_receives_the_path_below_its_base_and_the_query_as_it_was(road: Road) -> None:
    await road.whole(received("GET", f"{PREFIX}/a%20b/", query=b"q=%2F&q=2&e="))
    assert road.backend.request.target == "/careers/a%20b/?q=%2F&q=2&e="


async def test_the_backend_learns_who_calls(road: Road) -> None:
    await road.whole(
        received("GET", f"{PREFIX}/jobs", ("x-user-id", "evil")), plan=road.plan(identity_headers=("X-Clerk-User-Id",))
    )
    arrived = road.backend.request
    assert arrived.header("x-user-id") == arrived.header("x-clerk-user-id") == "user_2abc"
    assert arrived.header("x-client-id") == "client-1"
    assert arrived.header("x-scopes") == "jobs:read"
    assert arrived.header("x-request-id") == received().request_id
    assert 0 < int(arrived.header("x-request-deadline-ms")) <= 5000


async def test_the_assertion_is_for_this_backend_and_this_call(road: Road) -> None:
    await road.whole(received("GET", f"{PREFIX}/jobs", query=b"q=1"))
    asserted = claims(road.backend.request.header("x-gateway-identity"))
    assert (asserted["aud"], asserted["sub"], asserted["client_id"]) == ("jobs", "user_2abc", "client-1")
    assert (asserted["htm"], asserted["htu"]) == ("GET", f"{road.backend.url}/careers/jobs")
    assert asserted["jti"] == received().request_id
    assert "bdh" not in asserted


async def test_a_whole_body_is_part_of_what_is_asserted(road: Road) -> None:
    body = b'{"job": 7}'
    await road.whole(received("POST", f"{PREFIX}/jobs", body=GivenBody(body, length=len(body))))
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    assert claims(road.backend.request.header("x-gateway-identity"))["bdh"] == digest
    assert road.backend.request.body == body


async def test_a_disabled_scope_is_not_passed_on(road: Road) -> None:
    await road.whole(principal=replace(ANA, scopes=frozenset({"jobs:read", "gone:scope"})))
    assert road.backend.request.header("x-scopes") == "jobs:read"
    assert claims(road.backend.request.header("x-gateway-identity"))["scope"] == "jobs:read"


async def test_a_service_is_asserted_without_a_subject(road: Road) -> None:
    await road.whole(principal=Principal(kind="service", client_id="nightly"))
    assert road.backend.request.values("x-user-id") == []
    assert "sub" not in claims(road.backend.request.header("x-gateway-identity"))


@pytest.mark.parametrize(("principal", "mode"), [(NOBODY, "public"), (Principal(kind="passthrough"), "passthrough")])
async def test_nobody_is_asserted_when_nobody_was_verified(road: Road, principal: Principal, mode: str) -> None:
    await road.whole(principal=principal, mode=mode, key=None)
    names = {name for name, _value in road.backend.request.headers}
    assert not {"x-user-id", "x-client-id", "x-scopes", "x-gateway-identity"} & names


async def test_without_a_signing_key_nobody_is_sent_on_unasserted(road: Road) -> None:
    with pytest.raises(Unavailable) as refusal:
        await road.whole(key=None)
    assert (refusal.value.status, refusal.value.reason) == (503, "no_signing_key")
    assert road.backend.arrived == []


async def test_a_user_from_anywhere_is_a_header_of_printable_ascii(road: Road) -> None:
    assert ANA.user is not None
    stranger = replace(ANA, user=replace(ANA.user, external_id="josé\r\nX-Scopes: all"))
    await road.whole(principal=stranger)
    assert road.backend.request.header("x-user-id") == "jos%C3%A9%0D%0AX-Scopes:%20all"
    assert claims(road.backend.request.header("x-gateway-identity"))["sub"] == "josé\r\nX-Scopes: all"


# The gateway's own credential


@pytest.mark.parametrize(
    ("credential", "name", "value"),
    [
        (("Authorization", "Bearer ours"), "authorization", "Bearer ours"),
        (("X-Service-Key", "ours"), "x-service-key", "ours"),
    ],
)
async def test_the_gateway_shows_its_own_credential_in_place_of_the_callers(
    road: Road, credential: tuple[str, str], name: str, value: str
) -> None:
    sent = received("GET", f"{PREFIX}/jobs", ("authorization", "Bearer gh_at_ana"), ("x-service-key", "evil"))
    await road.whole(sent, plan=road.plan(credential=credential))
    assert road.backend.request.values(name) == [value]
    assert "gh_at_ana" not in str(road.backend.request.headers)


async def test_a_passed_through_authorization_is_not_replaced(road: Road) -> None:
    sent = received("GET", f"{PREFIX}/jobs", ("authorization", "Bearer theirs"))
    plan = road.plan(credential=("Authorization", "Bearer ours"))
    await road.whole(sent, plan=plan, principal=Principal(kind="passthrough"), mode="passthrough")
    assert road.backend.request.values("authorization") == ["Bearer theirs"]


async def test_a_caller_who_passes_nothing_through_does_not_get_the_gateways_credential(road: Road) -> None:
    plan = road.plan(credential=("Authorization", "Bearer ours"))
    await road.whole(plan=plan, principal=Principal(kind="passthrough"), mode="passthrough")
    assert road.backend.request.values("authorization") == []


async def test_the_gateways_parameter_is_on_the_wire_and_in_nothing_that_is_signed(road: Road) -> None:
    plan = road.plan(credential_parameter="api_key=ours", identity_query="user_id")
    await road.whole(received("GET", f"{PREFIX}/jobs", query=b"api_key=evil&q=%2F&USER_ID=evil"), plan=plan)
    arrived = road.backend.request
    assert arrived.target == "/careers/jobs?q=%2F&user_id=user_2abc&api_key=ours"
    assert claims(arrived.header("x-gateway-identity"))["htu"] == f"{road.backend.url}/careers/jobs"


async def test_nobody_stands_in_the_query_when_nobody_was_verified(road: Road) -> None:
    sent = received("GET", f"{PREFIX}/jobs", query=b"user_id=evil&q=1")
    await road.whole(sent, plan=road.plan(identity_query="user_id"), principal=NOBODY, mode="public")
    assert road.backend.request.target == "/careers/jobs?q=1"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/careers/jobs/?q=1&api_key=ours&user_id=user_2abc", f"{PREFIX}/jobs/?q=1"),
        ("/careers/jobs/?api_key=ours", f"{PREFIX}/jobs/"),
    ],
)
async def test_a_backend_that_redirects_does_not_tell_the_gateways_parameter(
    road: Road, location: str, shown: str
) -> None:
    road.backend.says(answer(b"", f"Location: {location}", status="301 Moved Permanently"))
    plan = road.plan(credential_parameter="api_key=ours", identity_query="user_id")
    routed, _content = await road.whole(plan=plan)
    assert dict(routed.headers)["location"] == shown


async def test_a_backend_that_repeats_its_headers_does_not_tell_the_gateways_credential(road: Road) -> None:
    road.backend.says(answer(b"", "X-Service-Key: ours", "X-Other: theirs"))
    routed, _content = await road.whole(plan=road.plan(credential=("X-Service-Key", "ours")))
    assert "ours" not in str(routed.headers)
    assert dict(routed.headers)["x-other"] == "theirs"


@pytest.mark.parametrize(
    ("principal", "mode", "shown"),
    [
        (ANA, "oauth", ["Bearer fetched"]),
        (NOBODY, "public", ["Bearer fetched"]),
        (Principal(kind="passthrough"), "passthrough", []),
    ],
)
async def test_a_fetched_token_is_shown_unless_the_caller_passes_his_own_through(
    transport: PooledTransport, backend: RawBackend, principal: Principal, mode: str, shown: list[str]
) -> None:
    tokens = ServiceTokens(request=lambda _credential: FetchedToken("fetched", 60.0))
    road = Road(TokenTransport(transport, tokens), backend)
    credential = ClientCredentials(token_url="https://login.example/t", client_id="gateway", client_secret="s3cret")
    sent = received("GET", f"{PREFIX}/jobs", ("Authorization", "Bearer theirs"))
    await road.whole(sent, plan=road.plan(client_credentials=credential), principal=principal, mode=mode)
    assert backend.request.values("authorization") == (shown or ["Bearer theirs"])


# Framing of the request


@pytest.mark.parametrize(
    ("method", "content", "length", "framing"),
    [
        ("GET", None, None, {}),
        ("DELETE", None, None, {}),
        ("HEAD", None, None, {}),
        ("POST", None, None, {"content-length": "0"}),
        ("PUT", None, None, {"content-length": "0"}),
        ("PATCH", b"", 0, {"content-length": "0"}),
        ("POST", b"abc", 3, {"content-length": "3"}),
        ("POST", b"abc", None, {"content-length": "3"}),
        ("GET", b"abc", 3, {"content-length": "3"}),
    ],
)
async def test_the_framing_is_the_gateways_own(
    road: Road, method: str, content: bytes | None, length: int | None, framing: dict[str, str]
) -> None:
    sent = [("content-length", "99"), ("transfer-encoding", "chunked"), ("expect", "100-continue")]
    await road.whole(received(method, f"{PREFIX}/jobs", *sent, body=GivenBody(content, length=length)))
    arrived = dict(road.backend.request.headers)
    assert {
        name: arrived[name] for name in ("content-length", "transfer-encoding", "expect") if name in arrived
    } == framing
    assert road.backend.request.body == (content or b"")


@pytest.mark.parametrize(("length", "framing"), [(6, "content-length"), (None, "transfer-encoding")])
@pytest.mark.parametrize("query", [b"", b"q='"])
async def test_a_streamed_body_keeps_its_length_or_comes_in_chunks(
    road: Road, length: int | None, framing: str, query: bytes
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b"def"

    await road.whole(received("POST", f"{PREFIX}/jobs", query=query, body=GivenBody(pieces(), length=length)))
    assert road.backend.request.content == b"abcdef"
    names = {name for name, _value in road.backend.request.headers} & {"content-length", "transfer-encoding"}
    assert names == {framing}
    assert "bdh" not in claims(road.backend.request.header("x-gateway-identity"))


# The answer


async def test_the_answer_has_the_backends_status_and_length_and_what_is_left(road: Road) -> None:
    road.backend.says(answer(b"hello", "Content-Type: application/json", "Set-Cookie: a=b", status="201 Created"))
    routed, content = await road.whole()
    assert (routed.status, routed.length, content) == (201, 5, b"hello")
    headers = dict(routed.headers)
    assert (headers["content-length"], headers["ratelimit"]) == ("5", LIMIT_HEADERS[0][1])
    assert "set-cookie" not in headers
    assert 0 <= routed.upstream_s < 1


async def test_a_chunked_answer_has_no_length(road: Road) -> None:
    road.backend.says(chunked(b"one", b"two"))
    routed, content = await road.whole()
    assert (routed.length, content) == (None, b"onetwo")
    assert not {"content-length", "transfer-encoding"} & set(dict(routed.headers))


@pytest.mark.parametrize(
    ("method", "said", "announced"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "5"),
        # RFC 9110 section 8.6: none in a 204
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", None),
    ],
)
async def test_an_answer_without_a_body_has_none(road: Road, method: str, said: bytes, announced: str | None) -> None:
    road.backend.says(said)
    routed, content = await road.whole(received(method, f"{PREFIX}/jobs"))
    assert (routed.length, content) == (0, b"")
    assert dict(routed.headers).get("content-length") == announced


CHUNKED_AND_COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
COUNTED_TWICE = b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi"


@pytest.mark.parametrize(
    ("said", "query"), [(CHUNKED_AND_COUNTED, b""), (CHUNKED_AND_COUNTED, b"q='"), (COUNTED_TWICE, b"")]
)
async def test_an_answer_with_two_framings_is_refused_and_let_go(road: Road, said: bytes, query: bytes) -> None:
    async def unfinished(wire: Wire) -> None:
        await wire.write(said[:-1])
        await wire.until_closed()

    road.backend.says(unfinished)
    with pytest.raises(BackendNonsense) as refusal:
        await road.whole(received(query=query))
    assert refusal.value.reason == "backend_protocol_error"
    await asyncio.wait_for(road.backend.closed.wait(), 1)


async def test_nobody_there_is_unreachable(transport: PooledTransport) -> None:
    async with RawBackend.listening() as gone:
        pass
    with pytest.raises(BackendUnreachable):
        await Road(transport, gone).whole()


# One deadline


async def test_a_silent_backend_is_given_up_at_the_deadline(road: Road) -> None:
    road.backend.says(silence)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed) as refusal:
        await road.whole(plan=road.plan(timeout_s=0.2))
    assert (refusal.value.status, refusal.value.reason) == (504, "backend_timeout")
    assert 0.15 < time.monotonic() - started < 0.7


async def test_a_body_that_drips_ends_at_the_same_deadline(road: Road) -> None:
    async def drip(wire: Wire) -> None:
        await wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await wire.write(chunk(b"x"))
            await asyncio.sleep(0.02)

    road.backend.says(drip)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed) as refusal:
        await road.whole(plan=road.plan(timeout_s=0.3))
    assert refusal.value.reason == "backend_body_timeout"
    assert 0.25 < time.monotonic() - started < 0.8


async def test_time_that_passed_before_is_not_given_again(road: Road) -> None:
    road.backend.says(silence)
    started = time.monotonic()
    with pytest.raises(DeadlinePassed):
        await road.call(plan=road.plan(timeout_s=1.0), late_s=0.9)
    assert time.monotonic() - started < 0.6
    assert int(road.backend.request.header("x-request-deadline-ms")) <= 100


# Streams of events


async def event_stream(wire: Wire) -> None:
    """Three events, slower than any call may take."""
    await wire.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for number in range(3):
        await asyncio.sleep(0.15)
        await wire.write(chunk(f"data: {number}\n\n".encode()))
    await wire.write(chunk(b""))


async def test_a_stream_of_events_may_outlive_the_time_of_a_call(road: Road) -> None:
    road.backend.says(event_stream)
    routed, content = await road.whole(plan=road.plan(timeout_s=0.3))
    assert content == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert routed.length is None
    assert dict(routed.headers)["x-accel-buffering"] == "no"


async def test_a_stream_that_falls_silent_ends(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "EVENT_STREAM_IDLE_S", 0.05)
    road.backend.says(event_stream)
    with pytest.raises(DeadlinePassed):
        await road.whole()


async def test_a_stream_does_not_last_for_ever(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "EVENT_STREAM_MAX_S", 0.25)
    road.backend.says(event_stream)
    with pytest.raises(DeadlinePassed):
        await road.whole()


async def test_a_body_that_breaks_off_is_nonsense(road: Road) -> None:
    road.backend.says(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi"))
    with pytest.raises(BackendNonsense) as refusal:
        await road.whole()
    assert refusal.value.reason == "backend_body_broken"
