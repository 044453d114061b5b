"""Rates and places: what a call reserves, and that it gives its place back."""

import pytest

from proxy.limits.concurrency import Bulkhead
from proxy.limits.rates import RateLimiter
from proxy.pipeline.call import Principal, Validated
from proxy.pipeline.constrain import Limits
from proxy.refusals import Overloaded, RateLimited
from tests.proxy.plans import ANA, NOBODY, backend_plan, operation_plan, received, transformed

BACKEND = backend_plan(max_concurrency=2)


def limits(*, max_calls: int = 100, window_s: int = 60) -> Limits:
    """Limits in this process's memory."""
    return Limits(rates=RateLimiter(max_calls=max_calls, window_s=window_s, redis_url=None), bulkhead=Bulkhead())


def call(principal: Principal = ANA, address: str = "203.0.113.9") -> Validated:
    """An allowed call."""
    return Validated(transformed(received(address=address), BACKEND, principal), operation_plan())


async def test_an_allowed_call_learns_what_is_left() -> None:
    constrained = await limits(max_calls=3).constrain(call())
    headers = dict(constrained.limit_headers)
    assert headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert headers["ratelimit"].startswith('"default";r=2;t=')


async def test_a_call_too_many_is_told_when_to_come_back() -> None:
    reserve = limits(max_calls=2)
    for _call in range(2):
        reserve.release(await reserve.constrain(call()))
    with pytest.raises(RateLimited) as refusal:
        await reserve.constrain(call())
    headers = dict(refusal.value.headers)
    assert refusal.value.status == 429
    assert 1 <= int(headers["retry-after"]) <= 60
    assert headers["ratelimit"].startswith('"default";r=0;t=')
    assert refusal.value.members == {"retry_after": int(headers["retry-after"]), "resets_at": refusal.value.resets_at}


@pytest.mark.parametrize(
    "other",
    [
        call(Principal(kind="service", client_id="client-2")),
        call(Principal(kind="api_key", client_id="key:portal")),
        call(NOBODY),
        call(NOBODY, address="198.51.100.1"),
    ],
)
async def test_every_caller_has_an_allowance_of_their_own(other: Validated) -> None:
    reserve = limits(max_calls=1)
    await reserve.constrain(call())
    await reserve.constrain(other)
    with pytest.raises(RateLimited):
        await reserve.constrain(other)


async def test_two_clients_of_one_user_share_the_users_allowance() -> None:
    reserve = limits(max_calls=1)
    await reserve.constrain(call())
    with pytest.raises(RateLimited):
        await reserve.constrain(call(Principal(kind="user", user=ANA.user, client_id="client-2")))


async def test_a_place_at_a_full_backend_is_free_when_somebody_leaves() -> None:
    reserve = limits()
    held = [await reserve.constrain(call()) for _place in range(2)]
    with pytest.raises(Overloaded) as refusal:
        await reserve.constrain(call())
    assert (refusal.value.status, dict(refusal.value.headers)["retry-after"]) == (503, "1")
    reserve.release(held.pop())
    await reserve.constrain(call())


async def test_a_refused_rate_takes_no_place() -> None:
    reserve = limits(max_calls=1)
    reserve.release(await reserve.constrain(call()))
    for _try in range(5):
        with pytest.raises(RateLimited):
            await reserve.constrain(call())
    await reserve.constrain(call(NOBODY))
    await reserve.constrain(call(NOBODY, address="198.51.100.1"))
