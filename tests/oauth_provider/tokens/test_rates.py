"""The rates of the contract (section 2): counted per address and per proven client, and settable."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.core.cache import caches
from django.test import Client as Browser
from pytest_django import Settings

from audit.ledger.models import Event
from oauth_provider.clients.models import Client
from oauth_provider.rates import DEFAULT_RATES, rates_with
from tests.agreed import World, form_encoded

TOKEN_ENDPOINTS = {"token": "/oauth/token", "revoke": "/oauth/revoke", "introspect": "/oauth/introspect"}


@pytest.fixture
def few(settings: Settings) -> None:
    """Two of everything a minute."""
    settings.OAUTH_RATES = dict.fromkeys(DEFAULT_RATES, "2/m")


def test_the_defaults_are_those_of_the_contract() -> None:
    assert DEFAULT_RATES == {
        "authorize": "120/m",
        "token": "120/m",
        "failed_client": "30/m",
        "revoke": "300/m",
        "introspect": "300/m",
        "device": "60/m",
        "user_code": "10/m",
        "userinfo": "300/m",
        "signin": "20/m",
        "register": "30/m",
        "register_hourly": "150/h",
        "webhook": "300/m",
        "document": "20/m",
        "document_host": "30/m",
    }


def test_every_rate_that_is_named_is_held_somewhere() -> None:
    source = "".join(path.read_text() for path in Path("oauth_provider").rglob("*.py"))
    used = set(re.findall(r'(?:rate=|throttled\(|_limited\(request, )"([a-z_]+)"', source))
    assert used == set(DEFAULT_RATES)


def test_a_deployment_changes_single_rates() -> None:
    changed = rates_with(["token=600/m", "signin=5/h"])
    assert changed == {**DEFAULT_RATES, "token": "600/m", "signin": "5/h"}


@pytest.mark.parametrize("change", ["", "token", "token=", "token=0/m", "token=5/w", "tokens=5/m", "token=5/m "])
def test_what_is_no_rate_is_refused_by_name(change: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(change))):
        rates_with([change])


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("path", TOKEN_ENDPOINTS.values(), ids=TOKEN_ENDPOINTS.keys())
def test_endpoints_for_clients_answer_json_and_when_to_come_back(public: World, path: str) -> None:
    for _ in range(2):
        assert public.post(path, token="x").status_code != 429
    answer = public.post(path, token="x")
    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["error"] == "temporarily_unavailable"
    assert 1 <= int(answer["Retry-After"]) <= 61


@pytest.mark.usefixtures("few", "db")
@pytest.mark.parametrize(("method", "path"), [("get", "/oauth/authorize"), ("post", "/accounts/login/")])
def test_pages_answer_a_page_and_when_to_come_back(client: Browser, method: str, path: str) -> None:
    for _ in range(2):
        assert getattr(client, method)(path).status_code != 429
    answer = getattr(client, method)(path)
    assert answer.status_code == 429
    assert b"try again" in answer.content
    assert "no-store" in answer["Cache-Control"]
    assert 1 <= int(answer["Retry-After"]) <= 61


@pytest.mark.usefixtures("few", "db")
def test_looking_at_the_sign_in_page_is_not_counted(client: Browser) -> None:
    assert {client.get("/accounts/login/").status_code for _ in range(4)} == {200}


@pytest.mark.usefixtures("few")
def test_a_proven_client_is_counted_wherever_it_calls_from(world: World) -> None:
    statuses = [from_address(world, f"192.0.2.{number}") for number in range(3)]
    assert statuses == [200, 200, 429]
    event = Event.objects.get(reason="rate_limited")
    assert (event.kind, event.client_id, event.status) == ("oauth:token:refused", world.client.client_id, 429)


@pytest.mark.usefixtures("few")
def test_nobody_can_use_up_the_rate_of_a_client_by_its_name_alone(public: World) -> None:
    assert {from_address(public, f"192.0.2.{number}") for number in range(4)} == {200}


@pytest.mark.usefixtures("few")
def test_a_wrong_secret_does_not_use_up_the_clients_rate(world: World) -> None:
    for number in range(4):
        assert from_address(world, f"192.0.2.{number}", client_secret="wrong") == 401
    assert from_address(world, "192.0.2.9") == 200


def test_d08_guessing_secrets_has_a_rate_of_its_own(world: World) -> None:
    for _ in range(30):
        assert (
            world.post("/oauth/token", grant_type="refresh_token", refresh_token="x", client_secret="wrong").status_code
            == 401
        )
    answer = world.post("/oauth/token", grant_type="refresh_token", refresh_token="x", client_secret="wrong")
    assert answer.status_code == 429
    elsewhere = world.post("/oauth/revoke", token="x", client_secret="wrong")
    assert elsewhere.status_code == 429, "another endpoint is no way around"
    assert Event.objects.filter(reason="rate_limited").count() == 1


def test_whoever_proves_itself_does_not_pay_for_others_who_guess(world: World, public: World) -> None:
    for _ in range(40):
        world.token(grant_type="refresh_token", refresh_token="x", client_secret="wrong")
    assert world.pair()["access_token"]
    assert public.pair()["access_token"]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("addresses", "last"),
    [
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], 429),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], 200),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"], 429),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3"], 200),
    ],
    ids=["one-/64", "three-/64s", "mapped-IPv4", "three-IPv4s"],
)
def test_one_caller_is_one_ipv4_address_or_one_ipv6_network(public: World, addresses: list[str], last: int) -> None:
    assert [from_address(public, address) for address in addresses][-1] == last


@pytest.mark.usefixtures("few", "db")
def test_a_flood_is_one_event(client: Browser) -> None:
    for _ in range(10):
        client.post("/accounts/login/")
    event = Event.objects.get(reason="rate_limited")
    assert (event.kind, event.decision, event.target) == ("account:signin:failed", "deny", "rate:signin")


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("path", "content_type"), [("/oauth/token", "application/json"), ("/accounts/login/", "text/html; charset=utf-8")]
)
def test_without_counters_nothing_is_let_through(
    client: Browser, monkeypatch: pytest.MonkeyPatch, path: str, content_type: str
) -> None:
    def unreachable(*_args: object, **_kwargs: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(type(caches["default"]), "add", unreachable)
    answer = client.post(path)
    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (503, "1", content_type)


@pytest.mark.usefixtures("few")
def test_a_client_over_its_rate_gets_no_token_and_spends_nothing(
    make_world: Callable[..., World], settings: Settings
) -> None:
    world = make_world(client_type=Client.CLIENT_CONFIDENTIAL)
    code = world.code()
    for number in range(2):
        from_address(world, f"192.0.2.{number}")
    assert world.redeem(code).status_code == 200, "token and revoke are counted apart"
    pending = world.code()
    world.token(grant_type="refresh_token", refresh_token="x")
    settings.OAUTH_RATES = {**settings.OAUTH_RATES, "failed_client": "30/m", "token": "1/m"}
    assert world.redeem(pending).status_code == 200, "another rate is another count"
    again = world.code()
    assert world.redeem(again).status_code == 429
    settings.OAUTH_RATES = dict(DEFAULT_RATES)
    assert world.redeem(again).status_code == 200


def from_address(world: World, address: str, **parameters: str) -> int:
    """The status of a revocation from `address`."""
    form = {"token": "x", "client_id": world.client.client_id, "client_secret": world.secret} | parameters
    body = form_encoded({name: value for name, value in form.items() if value})
    answer = world.browser.post(
        "/oauth/revoke", body, content_type="application/x-www-form-urlencoded", REMOTE_ADDR=address
    )
    status: int = answer.status_code
    return status
