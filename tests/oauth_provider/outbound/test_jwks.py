"""Key sets by URL: asked for rarely, kept while their host is away."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc.jwk import ECKey

from oauth_provider.outbound import jwks
from oauth_provider.outbound.jwks import KeysUnavailableError, keys_at
from tests.at_once import at_once
from tests.internet import Internet, Visit

URL = "https://keys.example/jwks.json"


def key(kid: str) -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256", {"kid": kid}).as_dict(private=False))


@dataclass
class Published:
    """What the host of the keys answers now."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [key("a")])
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, visit: Visit) -> None:
        """Answer."""
        visit.answer(json.dumps({"keys": self.keys}).encode(), status=self.status, **self.headers)


@pytest.fixture
def published(internet: Internet) -> Published:
    found = Published()
    internet.host("keys.example", found)
    return found


@dataclass
class Clock:
    """Time that passes when told to."""

    now: float = field(default_factory=time.time)

    def time(self) -> float:
        """What it says."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(jwks, "time", found)
    return found


def kids() -> list[str | None]:
    return [each.kid for each in keys_at(URL)]


def test_one_fetch_serves_many(internet: Internet, published: Published, clock: Clock) -> None:
    assert kids() == kids() == ["a"]
    assert len(internet.visits) == 1
    clock.now += jwks.FRESH_FOR_S + 1
    published.keys = [key("b")]
    assert kids() == ["b"]
    assert len(internet.visits) == 2


def test_a_key_nobody_knows_is_asked_for_but_not_at_every_call(
    internet: Internet, published: Published, clock: Clock
) -> None:
    assert kids() == ["a"]
    published.keys = [key("a"), key("b")]
    assert len(keys_at(URL, kid="b").keys) == 1
    assert len(internet.visits) == 1
    clock.now += jwks.REFRESH_FLOOR_S
    for invented in range(20):
        assert len(keys_at(URL, kid=f"b{invented}").keys) == 2
    assert len(internet.visits) == 2
    clock.now += jwks.REFRESH_FLOOR_S
    assert len(keys_at(URL, kid="b").keys) == 2
    assert len(internet.visits) == 2


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 302}, {"keys": []}, {"headers": {"content_type": "text/html"}}]
)
def test_an_old_copy_is_used_while_the_host_is_away_but_not_for_ever(
    internet: Internet, published: Published, clock: Clock, fault: dict[str, Any]
) -> None:
    assert kids() == ["a"]
    for name, value in fault.items():
        setattr(published, name, value)
    clock.now += jwks.FRESH_FOR_S + 1
    assert kids() == kids() == ["a"]
    assert len(internet.visits) == 2
    clock.now += jwks.STALE_FOR_S
    with pytest.raises(KeysUnavailableError):
        kids()


def test_without_any_copy_a_failure_is_not_repeated_at_every_call(
    internet: Internet, published: Published, clock: Clock
) -> None:
    published.status = 404
    for _call in range(5):
        with pytest.raises(KeysUnavailableError) as refusal:
            kids()
        assert refusal.value.reason == "keys_not_served"
    assert len(internet.visits) == 1
    published.status = 200
    clock.now += jwks.REFRESH_FLOOR_S
    assert kids() == ["a"]


def test_of_many_who_want_the_first_copy_one_asks(internet: Internet) -> None:
    def slowly(visit: Visit) -> None:
        time.sleep(0.3)
        visit.answer(json.dumps({"keys": [key("a")]}).encode())

    internet.host("keys.example", slowly)
    assert at_once([kids] * 6) == [["a"]] * 6
    assert len(internet.visits) == 1


def test_whoever_may_not_ask_inside_spoils_nothing_for_one_who_may(internet: Internet, published: Published) -> None:
    internet.leads("keys.example", ["10.0.0.1"])
    internet.ports["10.0.0.1"] = next(iter(internet.ports.values()))
    with pytest.raises(KeysUnavailableError):
        kids()
    assert [each.kid for each in keys_at(URL, allow_private=True)] == [published.keys[0]["kid"]]
    with pytest.raises(KeysUnavailableError):
        kids()


def test_a_set_with_a_private_key_is_not_used(internet: Internet, published: Published) -> None:
    published.keys = [dict(ECKey.generate_key("P-256").as_dict(private=True))]
    with pytest.raises(KeysUnavailableError) as refusal:
        kids()
    assert refusal.value.reason == "private_key"


def test_keys_inside_only_when_staff_meant_it(internet: Internet, published: Published) -> None:
    internet.leads("keys.example", ["10.0.0.1"])
    with pytest.raises(KeysUnavailableError) as refusal:
        kids()
    assert refusal.value.reason == "address_refused"
    assert internet.connected == []
