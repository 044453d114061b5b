"""Registrations that nobody uses are forgotten."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from audit.ledger.record import record
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.registration.cleanup import clean_registrations
from tests.agreed import World
from tests.oauth_provider.registration.newcomers import Newcomers
from tests.oauth_provider.registration.test_register import Policy


def forgotten(*, at: datetime) -> int:
    """How many are forgotten `at` that moment."""
    return sum(clean_registrations(at=at))


def later(**time: Any) -> datetime:
    """After that time."""
    return timezone.now() + timedelta(**time)


def test_one_that_nobody_ever_used_goes_after_a_day(newcomers: Newcomers) -> None:
    made = newcomers.register()
    assert forgotten(at=later(hours=23)) == 0
    assert forgotten(at=later(hours=25)) == 1
    assert not Client.objects.exists()
    event = Event.objects.get(kind="oauth:client:deleted")
    assert (event.client_id, event.reason) == (made["client_id"], "unused")


def test_the_policy_says_after_how_many_hours(newcomers: Newcomers, policy: Policy) -> None:
    policy(unused_hours=48)
    newcomers.register()
    assert forgotten(at=later(hours=47)) == 0
    assert forgotten(at=later(hours=49)) == 1


def test_one_that_waits_for_staff_is_given_time(newcomers: Newcomers, policy: Policy) -> None:
    policy(mode="approval")
    newcomers.register()
    assert forgotten(at=later(days=23)) == 0
    assert forgotten(at=later(days=25)) == 1


def test_one_whose_page_somebody_looks_at_stays(newcomers: Newcomers) -> None:
    newcomers.authorize(newcomers.register())
    Client.objects.update(registered_at=timezone.now() - timedelta(hours=25))
    assert forgotten(at=timezone.now()) == 0
    Interaction.objects.update(expires_at=timezone.now())
    assert forgotten(at=timezone.now()) == 1


def test_one_that_was_used_stays_until_it_is_idle(newcomers: Newcomers) -> None:
    newcomers.allow(newcomers.register())
    assert forgotten(at=later(days=89)) == 0
    assert forgotten(at=later(days=91)) == 1
    assert not Connection.objects.exists()
    assert Event.objects.get(kind="oauth:client:deleted").reason == "idle"


def test_one_that_still_calls_stays(newcomers: Newcomers) -> None:
    made = newcomers.register()
    newcomers.allow(made)
    old = timezone.now() - timedelta(days=91)
    Client.objects.update(first_consented_at=old)
    Connection.objects.update(created_at=old)
    record(kind=Kind.PROXY_CALL_DECIDED, client_id=made["client_id"])
    assert forgotten(at=timezone.now()) == 0
    assert forgotten(at=later(days=91)) == 1


def test_what_staff_made_is_never_forgotten(world: World, policy: Policy) -> None:
    policy()
    assert forgotten(at=later(days=5000)) == 0
    assert Client.objects.get() == world.client
