"""The gateway's own tokens: fetched once for all, renewed early, and what becomes of a call when there is none."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from proxy.catalogue.credentials import ClientCredentials
from proxy.catalogue.plans import BackendPlan
from proxy.refusals import BackendTokenRefused, BackendTokenUnavailable, DeadlinePassed, Refusal
from proxy.upstream.pool import PooledTransport
from proxy.upstream.service_tokens import ServiceTokens, TokenTransport
from proxy.upstream.token_request import FetchedToken, TokenNotFetched
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, answer
from tests.proxy.upstream.calls import request

CREDENTIAL = ClientCredentials(token_url="https://login.example/t", client_id="gateway", client_secret="s3cret")
UNAUTHORIZED = answer(status="401 Unauthorized")
REFUSED = TokenNotFetched(reason="backend_token_refused", is_lasting=True)
AWAY = TokenNotFetched(reason="backend_token_unavailable", is_lasting=False)


@dataclass
class Endpoint:
    """A token endpoint without a network: it counts, takes its time, and says what it is told to."""

    asked: list[ClientCredentials] = field(default_factory=list)
    lifetime_s: float = 100.0
    takes_s: float = 0.0
    fault: TokenNotFetched | None = None

    def __call__(self, credential: ClientCredentials) -> FetchedToken:
        """One token after the other."""
        self.asked.append(credential)
        time.sleep(self.takes_s)
        if self.fault is not None:
            raise self.fault
        return FetchedToken(f"token-{len(self.asked)}", self.lifetime_s)


@dataclass
class World:
    """A backend, a token endpoint, a clock, and a transport between them."""

    backend: RawBackend
    endpoint: Endpoint
    tokens: ServiceTokens
    transport: TokenTransport
    now: float = 0.0

    def plan(self, credential: ClientCredentials | None = CREDENTIAL) -> BackendPlan:
        """The backend as the catalogue has it."""
        return backend_plan(self.backend.url, client_credentials=credential)

    async def call(
        self, method: str = "GET", *, plan: BackendPlan | None = None, may_repeat: bool = True, needs_token: bool = True
    ) -> int:
        """The status of one call."""
        sent = replace(request(method), may_repeat=may_repeat, needs_token=needs_token)
        response = await self.transport.send(plan or self.plan(), sent)
        await response.aclose()
        return response.status

    async def refused(self) -> Refusal:
        """Why a call was not sent."""
        with pytest.raises(Refusal) as refusal:
            await self.call()
        return refusal.value

    @property
    def shown(self) -> list[str]:
        """The Authorization header of every request that arrived, "" where there was none."""
        return ["".join(arrived.values("authorization")) for arrived in self.backend.arrived]


@pytest.fixture
async def world(backend: RawBackend, transport: PooledTransport) -> World:
    """All of it."""
    endpoint = Endpoint()
    clock: Callable[[], float] = lambda: made.now  # noqa: E731 - made below
    tokens = ServiceTokens(request=endpoint, clock=clock)
    made = World(backend, endpoint, tokens, TokenTransport(transport, tokens))
    return made


async def test_a_token_is_fetched_once_and_shown_with_every_call(world: World) -> None:
    assert [await world.call() for _time in range(3)] == [200] * 3
    assert world.shown == ["Bearer token-1"] * 3
    assert world.endpoint.asked == [CREDENTIAL]


async def test_calls_at_the_same_time_wait_for_one_token(world: World) -> None:
    world.endpoint.takes_s = 0.05
    assert await asyncio.gather(*(world.call() for _time in range(8))) == [200] * 8
    assert len(world.endpoint.asked) == 1


async def test_a_token_is_renewed_before_it_ends_and_nobody_waits(world: World) -> None:
    await world.call()
    world.now = 79.0
    await world.call()
    assert len(world.endpoint.asked) == 1
    # The old one is good for another moment
    world.now = 81.0
    await world.call()
    assert world.shown[-1] == "Bearer token-1"
    await asyncio.sleep(0.05)
    await world.call()
    assert world.shown[-1] == "Bearer token-2"


async def test_an_ended_token_is_shown_to_nobody(world: World) -> None:
    await world.call()
    world.now = 90.1
    await world.call()
    assert world.shown == ["Bearer token-1", "Bearer token-2"]


async def test_another_credential_gets_another_token(world: World) -> None:
    await world.call()
    await world.call(plan=world.plan(replace(CREDENTIAL, scope="jobs")))
    assert world.shown == ["Bearer token-1", "Bearer token-2"]


async def test_who_needs_no_token_gets_none(world: World) -> None:
    await world.call(needs_token=False)
    await world.call(plan=world.plan(None))
    assert world.shown == ["", ""]
    assert world.endpoint.asked == []


async def test_a_token_the_backend_does_not_take_is_renewed_once(world: World) -> None:
    await world.call()
    world.now = 20.0
    world.backend.says(UNAUTHORIZED, answer())
    assert await world.call() == 200
    assert world.shown == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    world.now = 40.0
    world.backend.says(UNAUTHORIZED)
    assert await world.call() == 401
    assert world.shown[3:] == ["Bearer token-2", "Bearer token-3"]


async def test_what_may_change_something_is_not_sent_again_but_the_next_call_has_a_new_token(world: World) -> None:
    await world.call()
    world.now = 20.0
    world.backend.says(UNAUTHORIZED, answer())
    assert await world.call("POST", may_repeat=False) == 401
    assert await world.call("POST", may_repeat=False) == 200
    assert world.shown == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def test_whoever_provokes_401_does_not_make_the_gateway_ask_all_the_time(world: World) -> None:
    world.backend.says(UNAUTHORIZED)
    assert [await world.call() for _time in range(5)] == [401] * 5
    assert len(world.endpoint.asked) == 1
    assert len(world.backend.arrived) == 5


@pytest.mark.parametrize(
    ("fault", "kind", "status"), [(REFUSED, BackendTokenRefused, 502), (AWAY, BackendTokenUnavailable, 503)]
)
async def test_without_a_token_nothing_is_sent_and_the_endpoint_is_left_alone(
    world: World, fault: TokenNotFetched, kind: type[Refusal], status: int
) -> None:
    world.endpoint.fault = fault
    refusals = [await world.refused() for _time in range(5)]
    assert {type(refusal) for refusal in refusals} == {kind}
    assert {(refusal.status, refusal.reason) for refusal in refusals} == {(status, fault.reason)}
    assert world.backend.arrived == []
    assert len(world.endpoint.asked) == 1
    for asked, now in ((1, 0.9), (2, 1.1), (2, 3.0), (3, 3.2)):
        world.now = now
        await world.refused()
        assert len(world.endpoint.asked) == asked
    world.now, world.endpoint.fault = 60.0, None
    assert await world.call() == 200


async def test_a_failed_renewal_leaves_the_old_token_for_as_long_as_it_is_good(world: World) -> None:
    await world.call()
    world.endpoint.fault, world.now = AWAY, 81.0
    assert await world.call() == 200
    await asyncio.sleep(0.05)
    assert await world.call() == 200
    world.now = 91.0
    assert (await world.refused()).status == 503


async def test_a_token_that_comes_too_late_is_the_next_calls(world: World) -> None:
    world.endpoint.takes_s = 0.2
    late = replace(request(), needs_token=True, deadline=asyncio.get_running_loop().time() + 0.05)
    with pytest.raises(DeadlinePassed) as refusal:
        await world.transport.send(world.plan(), late)
    assert refusal.value.reason == "backend_token_timeout"
    assert await world.call() == 200
    assert len(world.endpoint.asked) == 1


async def test_a_caller_who_leaves_does_not_take_the_token_with_him(world: World) -> None:
    world.endpoint.takes_s = 0.1
    leaving = asyncio.create_task(world.call())
    await asyncio.sleep(0.02)
    leaving.cancel()
    assert await world.call() == 200
    assert len(world.endpoint.asked) == 1


async def test_why_there_is_no_token_is_known(world: World) -> None:
    assert world.tokens.fault_of(world.plan()) is None
    world.endpoint.fault = REFUSED
    await world.refused()
    assert world.tokens.fault_of(world.plan()) is REFUSED


async def test_why_there_was_no_token_ends_with_its_credential(world: World) -> None:
    world.endpoint.fault = REFUSED
    await world.refused()
    assert world.tokens.fault_of(world.plan(credential=None)) is None
    assert world.tokens.fault_of(world.plan(replace(CREDENTIAL, client_secret="0ther"))) is None


def test_no_representation_shows_a_token() -> None:
    assert "token-1" not in repr(FetchedToken("token-1", math.inf))
