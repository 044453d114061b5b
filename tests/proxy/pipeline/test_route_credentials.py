"""What a backend is shown of the gateway itself, and what nobody else ever sees of it."""

import pytest

from proxy.catalogue.credentials import ClientCredentials
from proxy.pipeline.call import Principal
from proxy.upstream.pool import PooledTransport
from proxy.upstream.service_tokens import ServiceTokens, TokenTransport
from proxy.upstream.token_request import FetchedToken
from tests.proxy.pipeline.way import Way, claims
from tests.proxy.plans import ANA, NOBODY, PREFIX, received
from tests.proxy.raw_backend import RawBackend, answer


@pytest.mark.parametrize(
    ("credential", "name", "value"),
    [
        (("Authorization", "Bearer ours"), "authorization", "Bearer ours"),
        (("X-Service-Key", "ours"), "x-service-key", "ours"),
    ],
)
async def test_the_gateway_shows_its_own_credential_in_place_of_the_callers(
    way: Way, credential: tuple[str, str], name: str, value: str
) -> None:
    sent = received("GET", f"{PREFIX}/jobs", ("authorization", "Bearer gh_at_ana"), ("x-service-key", "evil"))
    await way.whole(sent, plan=way.plan(credential=credential))
    assert way.backend.request.values(name) == [value]
    assert "gh_at_ana" not in str(way.backend.request.headers)


async def test_a_passed_through_authorization_is_not_replaced(way: Way) -> None:
    sent = received("GET", f"{PREFIX}/jobs", ("authorization", "Bearer theirs"))
    plan = way.plan(credential=("Authorization", "Bearer ours"))
    await way.whole(sent, plan=plan, principal=Principal(kind="passthrough"), mode="passthrough")
    assert way.backend.request.values("authorization") == ["Bearer theirs"]


async def test_a_caller_who_passes_nothing_through_does_not_get_the_gateways_credential(way: Way) -> None:
    plan = way.plan(credential=("Authorization", "Bearer ours"))
    await way.whole(plan=plan, principal=Principal(kind="passthrough"), mode="passthrough")
    assert way.backend.request.values("authorization") == []


async def test_the_gateways_parameter_is_on_the_wire_and_in_nothing_that_is_signed(way: Way) -> None:
    plan = way.plan(credential_parameter="api_key=ours", identity_query="user_id")
    await way.whole(received("GET", f"{PREFIX}/jobs", query=b"api_key=evil&q=%2F&USER_ID=evil"), plan=plan)
    arrived = way.backend.request
    assert arrived.target == "/careers/jobs?q=%2F&user_id=user_2abc&api_key=ours"
    assert claims(arrived.header("x-gateway-identity"))["htu"] == f"{way.backend.url}/careers/jobs"


async def test_nobody_stands_in_the_query_when_nobody_was_verified(way: Way) -> None:
    sent = received("GET", f"{PREFIX}/jobs", query=b"user_id=evil&q=1")
    await way.whole(sent, plan=way.plan(identity_query="user_id"), principal=NOBODY, mode="public")
    assert way.backend.request.target == "/careers/jobs?q=1"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/careers/jobs/?q=1&api_key=ours&user_id=user_2abc", f"{PREFIX}/jobs/?q=1"),
        ("/careers/jobs/?api_key=ours", f"{PREFIX}/jobs/"),
    ],
)
async def test_a_backend_that_redirects_does_not_tell_the_gateways_parameter(
    way: Way, location: str, shown: str
) -> None:
    way.backend.says(answer(b"", f"Location: {location}", status="301 Moved Permanently"))
    plan = way.plan(credential_parameter="api_key=ours", identity_query="user_id")
    routed, _content = await way.whole(plan=plan)
    assert dict(routed.headers)["location"] == shown


async def test_a_backend_that_repeats_its_headers_does_not_tell_the_gateways_credential(way: Way) -> None:
    way.backend.says(answer(b"", "X-Service-Key: ours", "X-Other: theirs"))
    routed, _content = await way.whole(plan=way.plan(credential=("X-Service-Key", "ours")))
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
    way = Way(TokenTransport(transport, tokens), backend)
    credential = ClientCredentials(token_url="https://login.example/t", client_id="gateway", client_secret="s3cret")
    sent = received("GET", f"{PREFIX}/jobs", ("Authorization", "Bearer theirs"))
    await way.whole(sent, plan=way.plan(client_credentials=credential), principal=principal, mode=mode)
    assert backend.request.values("authorization") == (shown or ["Bearer theirs"])
