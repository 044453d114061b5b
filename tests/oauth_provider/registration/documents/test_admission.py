"""Which clients with a document may come, and how often anybody is asked for one."""

import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.test import override_settings
from django.utils import timezone

from audit.ledger.events import UserRef
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Approval, Client
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.rates import DEFAULT_RATES
from oauth_provider.registration.documents.models import MetadataDocument
from oauth_provider.registration.models import ListedClient, Mode, RegistrationPolicy, Verdict
from oauth_provider.registration.programs import approve_program, decline_program
from tests.at_once import at_once
from tests.oauth_provider.registration.documents.world import (
    CALLBACK,
    URL,
    DocumentWorld,
    client_of,
    document,
    pass_time,
)


def test_the_policy_decides_before_anybody_is_asked(world: DocumentWorld) -> None:
    world.serve()
    for mode, status in ((Mode.OFF, 403), (Mode.LISTED, 403)):
        RegistrationPolicy.objects.update(document_mode=mode)
        assert world.ask().status_code == status
        assert world.internet.resolved == []
    ListedClient.objects.create(verdict=Verdict.ALLOWED, value=URL)
    assert world.ask().status_code == 200


def test_a_blocked_address_is_refused_and_not_asked(world: DocumentWorld) -> None:
    world.serve()
    ListedClient.objects.create(verdict=Verdict.BLOCKED, value=URL)
    assert (world.ask().status_code, world.internet.resolved) == (403, [])


def test_whoever_needs_approval_waits_for_it(world: DocumentWorld) -> None:
    world.serve()
    RegistrationPolicy.objects.update(document_mode=Mode.APPROVAL)
    assert world.ask().status_code == 403
    assert client_of().approval == Approval.PENDING
    Client.objects.filter(client_id=URL).update(approval=Approval.APPROVED)
    assert world.ask().status_code == 200


@pytest.mark.parametrize("mode", [Mode.APPROVAL, Mode.LISTED])
def test_what_is_decided_about_a_document_is_about_its_address(world: DocumentWorld, mode: Mode) -> None:
    world.serve()
    world.ask()
    actor = UserRef(user_id=1, external_id="staff")
    approve_program(client=client_of(), actor=actor, reason="We use it")
    client_of().delete()
    RegistrationPolicy.objects.update(document_mode=mode)
    copy = "https://evil.example/client.json"
    world.serve(document(client_id=copy), host="evil.example")
    assert (world.ask().status_code, world.ask(copy).status_code) == (200, 403)
    decline_program(client=client_of(), actor=actor, reason="No longer")
    assert (world.ask().status_code, client_of().is_suspended) == (403, True)


def test_a_copy_of_a_document_that_is_declined_takes_nobody_with_it(world: DocumentWorld) -> None:
    world.serve()
    copy = "https://evil.example/client.json"
    world.serve(document(client_id=copy), host="evil.example")
    assert (world.ask().status_code, world.ask(copy).status_code) == (200, 200)
    decline_program(client=client_of(copy), actor=UserRef(user_id=1, external_id="staff"), reason="A copy")
    assert (world.ask().status_code, world.ask(copy).status_code) == (200, 403)


def test_there_is_room_for_so_many_that_nobody_uses(world: DocumentWorld) -> None:
    RegistrationPolicy.objects.update(max_unused=1)
    world.serve()
    assert world.ask().status_code == 200
    assert world.ask("https://other.example/x").status_code == 403
    assert "other.example" not in world.internet.resolved


def test_a_suspended_client_stays_suspended(world: DocumentWorld) -> None:
    world.serve()
    world.ask()
    suspend_client(client=client_of(), actor=None, reason="test")
    assert world.ask().status_code == 403


def test_a_client_of_staff_whose_id_is_an_address_has_no_document(world: DocumentWorld) -> None:
    Client.objects.create(
        client_id=URL,
        name="Ours",
        client_type=Client.CLIENT_PUBLIC,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        redirect_uris=CALLBACK,
        allowed_scopes="tool:read",
    )
    assert (world.ask().status_code, world.internet.resolved) == (200, [])


# Not too often


@pytest.mark.parametrize("rate", ["document", "document_host"])
def test_g14_documents_are_asked_for_at_a_rate(world: DocumentWorld, rate: str) -> None:
    with override_settings(OAUTH_RATES=dict(DEFAULT_RATES) | {rate: "2/m"}):
        world.serve(status=404)
        statuses = [world.ask(f"https://app.example/{number}").status_code for number in range(4)]
        assert statuses == [400, 400, 429, 429]
        assert len(world.internet.visits) == 2


def test_a_known_client_is_not_refused_for_the_rate(world: DocumentWorld) -> None:
    world.serve()
    world.ask()
    pass_time(hours=2)
    with override_settings(OAUTH_RATES=dict(DEFAULT_RATES) | {"document": "1/m"}):
        world.ask("https://nowhere.example/x")
        assert world.ask().status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_asks_and_the_others_wait_for_the_answer(world: DocumentWorld) -> None:
    world.serve(slowness_s=0.3)

    def ask() -> int:
        browser = Browser()
        browser.cookies = world.browser.cookies
        return int(world.ask(browser=browser).status_code)

    assert at_once([ask] * 4) == [200] * 4
    assert len(world.internet.visits) == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_slow_host_who_has_a_copy(world: DocumentWorld) -> None:
    served = world.serve()
    world.ask()
    pass_time(hours=2)
    served.slowness_s = 1.5

    def ask() -> float:
        start = time.monotonic()
        world.token(grant_type="refresh_token", client_id=URL, refresh_token="x")
        return time.monotonic() - start

    waited = sorted(at_once([ask] * 4))
    assert waited[2] < 1.5 <= waited[3]
    assert len(world.internet.visits) == 2


def test_a_client_that_nobody_allowed_anything_is_forgotten_with_its_document(world: DocumentWorld) -> None:
    world.serve()
    other = "https://other.example/x"
    world.serve(document(client_id=other), host="other.example")
    world.code()
    world.ask(other)
    old = timezone.now() - timedelta(days=3)
    Client.objects.update(registered_at=old)
    Interaction.objects.all().delete()
    call_command("cleanup_tokens", "--json")
    assert [str(found) for found in MetadataDocument.objects.all()] == [URL]
    assert not Client.objects.filter(client_id=other).exists()
