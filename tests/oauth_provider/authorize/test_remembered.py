"""`prompt=none`: a code without a page only for a client that proves who it is, and only for what was allowed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.scopes.models import Scope
from tests.oauth_provider.authorize.world import Answer, World

GPT = {
    "redirect_uri": "https://chatgpt.com/aip/g-demo/oauth/callback",
    "code_challenge": None,
    "code_challenge_method": None,
}
BOTH = ("tool:read", "tool:write")


@pytest.fixture
def silently(world: World) -> Callable[..., Any]:
    """Ask as the GPT, without a page."""
    return lambda **changes: world.ask(client_id=world.gpt.client_id, **{**GPT, "prompt": "none", **changes})


@pytest.fixture
def allowed(world: World) -> Connection:
    """Ana allowed the GPT both permissions."""
    world.decide(world.open(client_id=world.gpt.client_id, **GPT), scope=BOTH)
    return Connection.objects.get()


def test_a_code_for_what_was_allowed(allowed: Connection, silently: Callable[..., Any], answer: Answer) -> None:
    before = (allowed.scopes, allowed.expires_at, allowed.shown_digest)
    response = silently()
    got = answer(response)
    assert response.status_code == 302
    assert set(got) == {"code", "state", "iss"}
    allowed.refresh_from_db()
    assert (allowed.scopes, allowed.expires_at, allowed.shown_digest) == before
    event = Event.objects.get(kind="oauth:authorization:allowed", reason="remembered")
    assert (event.connection, event.note) == (str(allowed.pk), f"shown {allowed.shown_digest} en")


def test_allowing_again_is_remembered_as_well(
    world: World, allowed: Connection, silently: Callable[..., Any], answer: Answer
) -> None:
    world.decide(world.open(client_id=world.gpt.client_id, **GPT), scope=BOTH)
    assert "code" in answer(silently())
    assert Connection.objects.get().pk == allowed.pk


def test_the_page_is_shown_to_whoever_can_look_at_it(world: World, allowed: Connection) -> None:
    assert world.ask(client_id=world.gpt.client_id, **GPT).status_code == 200
    assert allowed.is_live


def suspect(world: World) -> None:
    type(world.gpt).objects.filter(pk=world.gpt.pk).update(trust="claimed")


def rename(world: World) -> None:
    type(world.gpt).objects.filter(pk=world.gpt.pk).update(name="Another name")


def reword(_world: World) -> None:
    Scope.objects.filter(name="tool:write").update(description="It does more than you thought.")


def make_public(world: World) -> None:
    type(world.gpt).objects.filter(pk=world.gpt.pk).update(client_type="public", preset="other")


def narrow(_world: World) -> None:
    Connection.objects.update(scopes="tool:read")


def expire(_world: World) -> None:
    Connection.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def age(_world: World) -> None:
    Connection.objects.update(created_at=timezone.now() - timedelta(days=31), expires_at=None)


def revoke(_world: World) -> None:
    revoke_connection(connection=Connection.objects.get(), actor=None, by="user", reason="")


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("change", [suspect, rename, reword, make_public, narrow, expire, age, revoke])
def test_whatever_changed_since_somebody_must_look(
    world: World, silently: Callable[..., Any], answer: Answer, change: Callable[[World], None]
) -> None:
    change(world)
    challenge = {"code_challenge": "c" * 43, "code_challenge_method": "S256"} if change is make_public else {}
    assert answer(silently(**challenge))["error"] == "consent_required"
    assert get_grant_model().objects.count() <= 1


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("other", ["address", "resource", "person"])
def test_another_address_resource_or_person_is_not_remembered(
    world: World, silently: Callable[..., Any], answer: Answer, other: str, settings: Any
) -> None:
    if other == "person":
        world.browser.force_login(world.bruno, backend="django.contrib.auth.backends.ModelBackend")
    changes = {
        "address": {"redirect_uri": "https://chat.openai.com/aip/g-demo/oauth/callback"},
        "resource": {"resource": f"{settings.PUBLIC_BASE_URL}/mcp"},
        "person": {},
    }
    type(world.resource).objects.get_or_create(path="/mcp", defaults={"title": "MCP"})
    assert answer(silently(**changes[other]))["error"] == "consent_required"


def test_c09_a_public_client_is_never_answered_without_a_page(world: World, answer: Answer) -> None:
    type(world.public).objects.filter(pk=world.public.pk).update(trust="verified")
    world.decide(world.open(), scope=BOTH)
    assert answer(world.ask(prompt="none"))["error"] == "consent_required"


def test_a_silent_answer_cannot_be_decided_again(
    world: World, allowed: Connection, silently: Callable[..., Any]
) -> None:
    silently()
    assert world.decide(Interaction.objects.latest("created_at")).status_code == 409
    assert allowed.is_live
