"""The issuers' keys on the event loop: how often they are fetched, who waits, and how long old ones are good."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.issuers.jwks import JwksFault, PublicKeys, fetch_keys, parse_keys
from proxy.issuers.keeper import MAX_AGE_S, REFRESH_S, RETRY_S, UNKNOWN_KEY_FLOOR_S, KeyKeeper
from proxy.issuers.refused import InvalidExternalToken, KeysUnavailable
from tests.proxy.issuers.idp import Idp, Key, idp, public, rsa

OLD, NEW = rsa("old"), rsa("new")
PLAN = IssuerPlan(
    name="clerk",
    issuer="https://clerk.example.com",
    audiences=frozenset({"a"}),
    jwks_url="https://clerk.example.com/jwks.json",
    algorithms=frozenset({"RS256"}),
)


class Clock:
    """The monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In place of the keeper's own."""
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


class Server:
    """A key server that counts."""

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.fault = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.keeper = KeyKeeper(self._answer)

    async def _answer(self, _issuer: IssuerPlan) -> PublicKeys:
        self.asked += 1
        await self.gate.wait()
        if self.fault:
            raise JwksFault(self.fault)
        return parse_keys(json.dumps({"keys": [public(key) for key in self.keys]}).encode())

    async def kid(self, kid: str | None = "old") -> str | None:
        """The name of the key that is found."""
        return (await self.keeper.key(PLAN, kid=kid, algorithm="RS256")).kid

    async def unknown(self, kid: str) -> None:
        """Fails unless there is no such key."""
        with pytest.raises(InvalidExternalToken, match="unknown_key"):
            await self.kid(kid)

    async def unavailable(self, kid: str = "old") -> int:
        """In how many seconds to ask again."""
        with pytest.raises(KeysUnavailable) as refusal:
            await self.kid(kid)
        return refusal.value.retry_after_s


async def test_a_thousand_calls_at_once_are_one_request(clock: Clock) -> None:
    server = Server(OLD)
    server.gate.clear()
    calls = [asyncio.create_task(server.kid()) for _call in range(1000)]
    await asyncio.sleep(0)
    server.gate.set()
    assert set(await asyncio.gather(*calls)) == {"old"}
    assert server.asked == 1


async def test_thousands_of_invented_keys_are_one_request_in_half_a_minute(clock: Clock) -> None:
    server = Server(OLD)
    await server.kid()
    clock.now += UNKNOWN_KEY_FLOOR_S
    for number in range(3000):
        await server.unknown(f"invented-{number}")
        clock.now += 0.005
    assert server.asked == 2
    clock.now += UNKNOWN_KEY_FLOOR_S
    await asyncio.gather(*(server.unknown(f"more-{number}") for number in range(500)))
    assert server.asked == 3


async def test_a_new_key_is_found_without_waiting_for_the_next_refresh(clock: Clock) -> None:
    server = Server(OLD)
    await server.kid()
    server.keys.append(NEW)
    await server.unknown("new")
    clock.now += UNKNOWN_KEY_FLOOR_S
    assert await server.kid("new") == "new"
    assert server.asked == 2


async def test_a_caller_who_leaves_takes_the_request_from_nobody(clock: Clock) -> None:
    server = Server(OLD)
    server.gate.clear()
    leaving, staying = (asyncio.create_task(server.kid()) for _call in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    server.gate.set()
    assert await staying == "old"
    assert server.asked == 1


async def test_nothing_ever_fetched_is_for_later_and_asked_for_every_few_seconds(clock: Clock) -> None:
    server = Server(OLD)
    server.fault = "connection_failed"
    assert await server.unavailable() == RETRY_S
    clock.now += 2
    assert await server.unavailable("another") == RETRY_S - 2
    assert server.asked == 1
    clock.now += RETRY_S
    server.fault = ""
    assert await server.kid() == "old"


async def test_old_keys_are_good_while_their_server_fails_but_not_for_ever(clock: Clock) -> None:
    server = Server(OLD)
    await server.kid()
    server.fault = "deadline_passed"
    clock.now += REFRESH_S
    server.keeper.look([PLAN])
    await _done()
    assert await server.kid() == "old"
    assert (await server.unavailable("new")) >= 1
    clock.now += MAX_AGE_S - REFRESH_S - 1
    assert await server.kid() == "old"
    clock.now += 2
    await server.unavailable()
    state = server.keeper.states([PLAN])[0]
    assert (state.usable, state.reachable, state.keys) == (False, False, 0)


async def test_a_withdrawn_key_counts_no_longer_than_the_refresh(clock: Clock) -> None:
    server = Server(OLD, NEW)
    await server.kid()
    server.keys = [NEW]
    clock.now += REFRESH_S
    server.keeper.look([PLAN])
    await _done()
    await server.unknown("old")


async def test_a_refresh_is_nothing_that_a_call_waits_for(clock: Clock) -> None:
    server = Server(OLD)
    server.keeper.look([PLAN])
    await _done()
    assert server.asked == 1
    clock.now += REFRESH_S
    server.gate.clear()
    server.keeper.look([PLAN])
    server.keeper.look([PLAN])
    assert await asyncio.wait_for(server.kid(), 1) == "old"
    assert server.asked == 2
    await server.keeper.close()


@pytest.mark.parametrize("fails", [False, True])
async def test_an_idle_hour_costs_a_handful_of_requests(clock: Clock, fails: bool) -> None:
    server = Server(OLD)
    server.fault = "connection_failed" if fails else ""
    for _second in range(3600):
        server.keeper.look([PLAN])
        await _done()
        clock.now += 1
    assert server.asked == 3600 / (UNKNOWN_KEY_FLOOR_S if fails else REFRESH_S)


async def test_who_is_no_longer_registered_is_forgotten(clock: Clock) -> None:
    server = Server(OLD)
    await server.kid()
    server.keeper.look([])
    await server.kid()
    assert server.asked == 2


async def test_a_fault_of_ours_is_no_answer_either(clock: Clock) -> None:
    async def broken(_issuer: IssuerPlan) -> PublicKeys:
        raise ZeroDivisionError

    with pytest.raises(KeysUnavailable):
        await KeyKeeper(broken).key(PLAN, kid="x", algorithm="RS256")


async def _done() -> None:
    for _turn in range(5):
        await asyncio.sleep(0)


# Over HTTP


def at(url: str, **changes: object) -> IssuerPlan:
    """An issuer whose keys are at `url`."""
    return IssuerPlan(
        name="clerk", issuer="https://clerk.example.com", audiences=frozenset(), jwks_url=url,
        algorithms=frozenset(), allow_private=bool(changes.get("allow_private", True)),
    )  # fmt: skip


def test_keys_come_over_http(outside: Idp) -> None:
    found = fetch_keys(at(outside.jwks_url))
    assert [key.kid for key in found.keys] == ["k1"]
    assert outside.requests == ["/.well-known/jwks.json"]


def _answer(**changes: object) -> Callable[[Idp], None]:
    def apply(server: Idp) -> None:
        for name, value in changes.items():
            setattr(server, name, value)

    return apply


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_answer(status=500), "answer_status"),
        (_answer(status=404), "answer_status"),
        (_answer(body=b"<html>"), "not_json"),
        (_answer(body=b"{}"), "not_a_key_set"),
        (_answer(body=b'{"keys":[' + b" " * 300_000 + b"]}"), "answer_too_large"),
    ],
)
def test_what_is_no_answer(outside: Idp, change: Callable[[Idp], None], reason: str) -> None:
    change(outside)
    with pytest.raises(JwksFault) as fault:
        fetch_keys(at(outside.jwks_url))
    assert fault.value.reason == reason


def test_a_redirect_is_not_followed(outside: Idp) -> None:
    with idp() as inside:
        outside.status, outside.location = 302, inside.jwks_url
        with pytest.raises(JwksFault, match="answer_status"):
            fetch_keys(at(outside.jwks_url))
        assert inside.requests == []


def test_an_internal_address_is_not_called_unless_staff_meant_it(outside: Idp) -> None:
    for url in (outside.jwks_url, outside.jwks_url.replace("http:", "https:"), f"https://localhost:{outside.port}/"):
        with pytest.raises(JwksFault):
            fetch_keys(at(url, allow_private=False))
    with pytest.raises(JwksFault, match="address_refused"):
        fetch_keys(at("http://169.254.169.254/latest/meta-data"))
    assert outside.requests == []


def test_a_server_that_does_not_finish_is_not_waited_for(outside: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.issuers.jwks.TIMEOUT_S", 0.3)
    outside.delay_s = 1.0
    started = time.monotonic()
    with pytest.raises(JwksFault, match="deadline_passed"):
        fetch_keys(at(outside.jwks_url))
    assert time.monotonic() - started < 0.9
