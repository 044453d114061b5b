"""Rates and places: what a call reserves, and that it gives its place back."""

import asyncio
import time
from dataclasses import replace

import pytest

from audit.ledger.events import UserRef
from proxy.catalogue.plans import BackendPlan
from proxy.limits.concurrency import QUEUE_MAX, Bulkhead
from proxy.limits.rates import RateLimiter
from proxy.limits.table import LimitTable, Rule
from proxy.pipeline.call import Constrained, Principal, Validated
from proxy.pipeline.constrain import Limits
from proxy.refusals import Overloaded, RateLimited, TooManyCalls
from tests.proxy.plans import ANA, NOBODY, backend_plan, operation_plan, received, transformed

BACKEND = backend_plan(max_concurrency=2)


def limits(*rules: Rule, max_calls: int = 100, window_s: int = 60) -> Limits:
    """Limits in this process's memory."""
    table = LimitTable(max_calls=max_calls, window_ms=window_s * 1000)
    table.use(rules)
    return Limits(table=table, rates=RateLimiter(redis_url=None), bulkhead=Bulkhead())


async def admit(reserve: Limits, validated: Validated) -> Constrained:
    """Count a call, and give it its place."""
    constrained = await reserve.constrain(validated)
    await reserve.enter(constrained)
    return constrained


def service(number: int = 1) -> Validated:
    """A call of a client that calls as itself, of which none counts for another."""
    return call(Principal(kind="service", client_id=f"client-{number}"))


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
        reserve.release(await admit(reserve, call()))
    with pytest.raises(RateLimited) as refusal:
        await admit(reserve, call())
    headers = dict(refusal.value.headers)
    assert refusal.value.status == 429
    # Half of what the full window holds has to fade in the next one
    assert 1 <= int(headers["retry-after"]) <= 60 + 30
    assert headers["ratelimit"].startswith('"default";r=0;t=')
    assert refusal.value.members == {"retry_after": int(headers["retry-after"]), "resets_at": refusal.value.resets_at}
    assert refusal.value.resets_at >= time.time() + int(headers["retry-after"]) - 1


async def test_an_operation_may_cost_more_than_one_call() -> None:
    dear = replace(call(), operation=operation_plan(cost=4))
    constrained = await limits(max_calls=6).constrain(dear)
    assert dict(constrained.limit_headers)["ratelimit"].startswith('"default";r=2;t=')


async def test_a_call_that_would_find_no_place_uses_up_nothing() -> None:
    reserve = limits(max_calls=100)
    inside = [await admit(reserve, service()) for _place in range(2)]
    waiting = [asyncio.create_task(admit(reserve, service())) for _place in range(QUEUE_MAX)]
    await asyncio.sleep(0)
    for _call in range(5):
        with pytest.raises(Overloaded):
            await reserve.constrain(service())
    for each in inside:
        reserve.release(each)
    for task in waiting:
        reserve.release(await task)
    left = dict((await reserve.constrain(service())).limit_headers)["ratelimit"]
    assert left.startswith(f'"default";r={100 - 2 - QUEUE_MAX - 1};')


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
    await admit(reserve, call())
    await admit(reserve, other)
    with pytest.raises(RateLimited):
        await admit(reserve, other)


async def test_two_clients_of_one_user_share_the_users_allowance() -> None:
    reserve = limits(max_calls=1)
    await admit(reserve, call())
    with pytest.raises(RateLimited):
        await admit(reserve, call(Principal(kind="user", user=ANA.user, client_id="client-2")))


async def test_a_place_at_a_full_backend_is_free_when_somebody_leaves() -> None:
    reserve = limits()
    held = [await admit(reserve, service()) for _place in range(2)]
    with pytest.raises(Overloaded) as refusal:
        await admit(reserve, service())
    assert (refusal.value.status, dict(refusal.value.headers)["retry-after"]) == (503, "1")
    reserve.release(held.pop())
    await admit(reserve, service())


def of_person(number: int, backend: BackendPlan = BACKEND) -> Validated:
    """A call of a person."""
    principal = replace(ANA, user=UserRef(user_id=number, external_id=f"user_{number}"))
    return Validated(transformed(received(), backend, principal), operation_plan())


async def test_one_person_leaves_half_of_the_places_to_others() -> None:
    reserve = limits()
    held = await admit(reserve, of_person(1))
    with pytest.raises(TooManyCalls) as refusal:
        await admit(reserve, of_person(1))
    told = refusal.value
    assert (told.status, told.error, dict(told.headers)["retry-after"]) == (429, "too_many_calls", "1")
    assert set(told.members) == {"retry_after", "resets_at"}
    await admit(reserve, of_person(2))
    reserve.release(held)
    await admit(reserve, of_person(1))


async def test_a_person_who_waits_for_a_share_in_vain_uses_up_no_limit() -> None:
    reserve = limits(max_calls=100)
    held = await admit(reserve, of_person(1))
    waiting = asyncio.create_task(admit(reserve, of_person(1)))
    await asyncio.sleep(0)
    for _call in range(5):
        with pytest.raises(TooManyCalls):
            await reserve.constrain(of_person(1))
    reserve.release(held)
    reserve.release(await waiting)
    left = dict((await reserve.constrain(of_person(1))).limit_headers)["ratelimit"]
    assert left.startswith(f'"default";r={100 - 2 - 1};')


async def test_a_client_that_calls_as_itself_may_have_every_place() -> None:
    reserve = limits()
    for _place in range(2):
        await admit(reserve, service())


async def test_a_person_has_the_only_place_of_a_backend_and_the_next_hears_that_it_is_full() -> None:
    reserve, single = limits(), backend_plan(max_concurrency=1)
    await admit(reserve, of_person(1, single))
    for person in (1, 2):
        with pytest.raises(Overloaded):
            await admit(reserve, of_person(person, single))


async def test_a_share_that_found_no_place_is_given_back() -> None:
    reserve = limits()
    inside = [await admit(reserve, service()) for _place in range(2)]
    for _try in range(2):
        with pytest.raises(Overloaded):
            await admit(reserve, of_person(1))
    reserve.release(inside.pop())
    await admit(reserve, of_person(1))


async def test_a_refused_rate_takes_no_place() -> None:
    reserve = limits(max_calls=1)
    reserve.release(await admit(reserve, call()))
    for _try in range(5):
        with pytest.raises(RateLimited):
            await admit(reserve, call())
    await admit(reserve, call(NOBODY))
    await admit(reserve, call(NOBODY, address="198.51.100.1"))


async def test_a_message_counts_against_the_allowance_of_its_sender() -> None:
    reserve = limits(rule("operation", 5), max_calls=2)
    headers = dict(await reserve.count_message(ANA, received()))
    assert headers["ratelimit"].startswith('"default";r=1;t=')
    await admit(reserve, call())
    with pytest.raises(RateLimited):
        await reserve.count_message(ANA, received())


# What staff set


def rule(per: str, max_calls: int, **selectors: str) -> Rule:
    """A limit by the minute."""
    return Rule(name=f"{per}-{max_calls}", per=per, max_calls=max_calls, window_ms=60_000, **selectors)


async def let_in(reserve: Limits, validated: Validated, *, most: int = 12) -> int:
    """How many calls are let in before one is refused."""
    for number in range(most):
        try:
            reserve.release(await admit(reserve, validated))
        except RateLimited:
            return number
    return most


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("user", 5)], 5),
        ([rule("user", 5), rule("user", 3, backend="jobs")], 3),
        ([rule("user", 2), rule("user", 4, backend="jobs")], 4),
        ([rule("user", 3, client="client-1"), rule("user", 6, operation="search-jobs", backend="jobs")], 6),
        ([rule("user", 3, backend="jobs"), rule("user", 6, client="client-1")], 6),
        ([rule("user", 1, backend="other"), rule("user", 1, client="nobody"), rule("user", 1, operation="x")], 8),
        ([rule("user", 7), rule("client", 2)], 2),
        ([rule("all", 2)], 2),
        ([rule("operation", 2)], 2),
        ([rule("address", 2)], 2),
        ([rule("tenant", 2)], 8),
        ([rule("user", 2, tier="background")], 8),
    ],
)
async def test_the_most_specific_limit_of_each_kind_counts(rules: list[Rule], expected: int) -> None:
    assert await let_in(limits(*rules, max_calls=8), call()) == expected


async def test_what_an_agent_says_of_itself_only_narrows() -> None:
    rules = [rule("user", 5), rule("user", 2, tier="background"), rule("user", 100, tier="interactive")]
    said = {tier: called(("x-agent-tier", tier)) for tier in ("background", "interactive", "no such thing", "")}
    assert {tier: await let_in(limits(*rules), each) for tier, each in said.items()} == {
        "background": 2, "interactive": 5, "no such thing": 5, "": 5,
    }  # fmt: skip
    assert await let_in(limits(*rules), called(("x-agent-tier", "background"), ("x-agent-tier", "api"))) == 5


def called(*headers: tuple[str, str]) -> Validated:
    """A call with these headers."""
    return Validated(transformed(received("GET", "/api/v1/jobs/jobs", *headers), BACKEND, ANA), operation_plan())


async def test_a_tenant_shares_one_allowance() -> None:
    reserve = limits(rule("tenant", 3))
    members = [replace(ANA, tenant="acme", client_id=f"client-{number}") for number in range(2)]
    assert await let_in(reserve, call(members[0]), most=2) == 2
    assert await let_in(reserve, call(members[1])) == 1
    assert await let_in(reserve, call(replace(ANA, tenant="other"))) == 3


async def test_who_has_no_user_has_the_limits_of_their_kind() -> None:
    service = call(Principal(kind="service", client_id="client-2"))
    assert await let_in(limits(rule("user", 1), max_calls=4), service) == 4
    assert await let_in(limits(rule("client", 9), max_calls=4), service) == 9
    assert await let_in(limits(rule("address", 9), max_calls=4), call(NOBODY)) == 9


async def test_all_the_addresses_of_a_household_are_one() -> None:
    reserve = limits(max_calls=2)
    assert await let_in(reserve, call(NOBODY, address="2001:db8::1")) == 2
    assert await let_in(reserve, call(NOBODY, address="2001:db8::ffff:1")) == 0
    assert await let_in(reserve, call(NOBODY, address="2001:db8:0:1::1")) == 2
