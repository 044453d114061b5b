"""An address that only guesses credentials is told to wait; who was known before is not locked out with it."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from proxy.limits.strangers import Strangers
from proxy.limits.table import LimitTable, Rule
from proxy.pipeline.identify import CACHE_TTL_S
from proxy.refusals import InvalidCredential, MissingCredential, RateLimited
from tests.proxy.pipeline.test_identify import BEARER, TOKEN, World, world

__all__ = ["world"]


def few(world: World, most: int = 3) -> None:
    """Let strangers guess so often a minute."""
    world.limits.use([Rule(name="address-1", per="address", max_calls=most, window_ms=60_000)])


async def test_an_address_that_only_guesses_is_not_looked_up_for_ever(world: World) -> None:
    few(world)
    for number in range(3):
        assert isinstance(await world.refused(("authorization", f"Bearer guess-{number}")), InvalidCredential)
    for number in range(20):
        refusal = await world.refused(("authorization", f"Bearer other-{number}"))
        assert isinstance(refusal, RateLimited)
        assert 1 <= int(dict(refusal.headers)["retry-after"]) <= 120
    assert len(world.asked) == 3


async def test_who_was_known_before_is_let_in_from_the_same_address(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(world)
    await world.identify(BEARER)
    for number in range(5):
        await world.refused(("authorization", f"Bearer guess-{number}"))
    await world.identify(BEARER)
    # Forgotten after a few seconds, and yet no stranger
    later = time.monotonic() + CACHE_TTL_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    await world.identify(BEARER)
    assert world.asked.count(TOKEN) == 2


async def test_a_dead_token_makes_a_stranger_of_its_holder(world: World) -> None:
    few(world)
    await world.identify(BEARER)
    world.tokens.clear()
    world.revocation_revision += 1
    for _try in range(10):
        await world.refused(BEARER)
    assert world.asked.count(TOKEN) == 1 + 3


async def test_another_address_may_guess_for_itself(world: World) -> None:
    few(world)
    for number in range(5):
        await world.refused(("authorization", f"Bearer guess-{number}"))
    assert isinstance(await world.refused(("authorization", "Bearer x"), address="198.51.100.1"), InvalidCredential)


@pytest.mark.parametrize(
    "shown", [(), (("authorization", "Basic abc"),), (("authorization", "Bearer a b"),)], ids=["none", "basic", "odd"]
)
async def test_an_address_that_shows_nothing_is_not_told_what_to_send_for_ever(
    world: World, shown: tuple[tuple[str, str], ...]
) -> None:
    few(world)
    kinds = [type(await world.refused(*shown)) for _try in range(6)]
    is_bearer = any(value.startswith("Bearer") for _name, value in shown)
    assert kinds == [InvalidCredential if is_bearer else MissingCredential] * 3 + [RateLimited] * 3
    # Whoever shows something is not taken for one of them
    await world.identify(BEARER)
    assert isinstance(await world.refused(("authorization", "Bearer guess")), InvalidCredential)
    assert isinstance(await world.refused(*shown, address="198.51.100.1"), kinds[0])


def test_several_workers_together_grant_one_allowance() -> None:
    table = LimitTable(max_calls=8, window_ms=60_000)
    workers = [Strangers(table, workers=4) for _worker in range(4)]

    def granted(ask: Callable[[Strangers], None]) -> int:
        let_in = 0
        for worker in workers:
            with suppress(RateLimited):
                for _time in range(8):
                    ask(worker)
                    let_in += 1
        return let_in

    def guess(worker: Strangers) -> None:
        worker.admit("203.0.113.9")
        worker.failed("203.0.113.9")

    assert granted(guess) == granted(lambda worker: worker.shows_nothing("203.0.113.9")) == 8
    assert granted(lambda worker: worker.asks_first("203.0.113.9")) == 8
