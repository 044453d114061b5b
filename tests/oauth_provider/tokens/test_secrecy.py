"""No secret, code, token or verifier reaches the ledger, and each step is exactly one event (rows Z01 and Z06)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import Settings

from audit.ledger.models import Event
from oauth_provider.rates import DEFAULT_RATES
from tests.agreed import VERIFIER, World


def test_nothing_that_opens_anything_is_recorded(world: World) -> None:
    code = world.code()
    first = world.redeem(code).json()
    second = world.refresh(first["refresh_token"]).json()
    world.redeem(code)
    world.post("/oauth/revoke", token=second["refresh_token"])
    world.introspect(second["access_token"])
    world.token(grant_type="refresh_token", refresh_token="gh_rt_guessed", client_secret="guessed-secret")
    secrets = [code, world.secret, VERIFIER, "gh_rt_guessed", "guessed-secret"]
    secrets += [pair[name] for pair in (first, second) for name in ("access_token", "refresh_token")]
    kept = str(list(Event.objects.values()))
    assert not [secret for secret in secrets if secret in kept]


STEPS: dict[str, tuple[Callable[[World], Any], str]] = {
    "issued": (lambda world: world.redeem(world.code()), "oauth:token:issued"),
    "refused": (lambda world: world.redeem("unknown"), "oauth:token:refused"),
    "unproven": (lambda world: world.redeem("unknown", client_secret="wrong"), "oauth:token:refused"),
    "unreadable": (lambda world: world.token(grant_type="x"), "oauth:token:refused"),
    "introspection-refused": (lambda world: world.post("/oauth/introspect"), "oauth:token:refused"),
}


@pytest.mark.parametrize(("step", "kind"), STEPS.values(), ids=STEPS.keys())
def test_each_step_is_one_event(world: World, step: Callable[[World], Any], kind: str) -> None:
    before = Event.objects.count()
    step(world)
    assert list(Event.objects.order_by("timestamp", "id").values_list("kind", flat=True))[before:] == [kind]


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
def test_z06_without_a_database_nothing_succeeds_silently(world: World, settings: Settings, path: str) -> None:
    def gone(*_arguments: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_cursor", gone)
        readable = world.post(path, grant_type="refresh_token", refresh_token="x", token="x")
        unreadable = world.post(path)
        settings.OAUTH_RATES = dict.fromkeys(DEFAULT_RATES, "1/h")
        world.post(path)
        too_often = world.post(path)
    for answer in (readable, unreadable, too_often):
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
        assert answer.json()["error"] == "temporarily_unavailable"
