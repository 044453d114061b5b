"""Who may come in: the policy, the list, invitations; for registrations and for metadata documents alike."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.clients.models import Approval, Client, Origin
from oauth_provider.identities.external_id import user_ref
from oauth_provider.registration.invitations import create_invitation, revoke_invitation
from oauth_provider.registration.models import InitialAccessToken, ListedClient, Mode, NamedBy, Verdict
from oauth_provider.registration.policy import (
    BlockedError,
    NobodyWelcomeError,
    NotListedError,
    NotWelcomeError,
    check_newcomer,
)
from oauth_provider.registration.programs import approve_program, decline_program
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World
from tests.oauth_provider.registration.newcomers import Newcomers, last_refusal, row_of
from tests.oauth_provider.registration.test_register import Policy

DOCUMENT = "https://claude.ai/oauth/mcp-oauth-client-metadata"
OUTCOMES: dict[tuple[str, str, bool], Approval | type[NotWelcomeError]] = {
    ("off", "", False): NobodyWelcomeError,
    ("off", "allowed", False): NobodyWelcomeError,
    ("off", "blocked", False): BlockedError,
    ("off", "", True): Approval.APPROVED,
    ("listed", "", False): NotListedError,
    ("listed", "allowed", False): Approval.APPROVED,
    ("listed", "blocked", True): BlockedError,
    ("listed", "", True): Approval.APPROVED,
    ("approval", "", False): Approval.PENDING,
    ("approval", "allowed", False): Approval.APPROVED,
    ("approval", "blocked", False): BlockedError,
    ("approval", "", True): Approval.APPROVED,
    ("open", "", False): Approval.APPROVED,
    ("open", "allowed", False): Approval.APPROVED,
    ("open", "blocked", False): BlockedError,
    ("open", "blocked", True): BlockedError,
}


@pytest.mark.parametrize("origin", [Origin.DYNAMIC, Origin.DOCUMENT])
@pytest.mark.parametrize(("mode", "verdict", "invited"), OUTCOMES)
def test_the_rules(policy: Policy, origin: str, mode: str, verdict: str, *, invited: bool) -> None:
    own, other = ("document_mode", "mode") if origin == Origin.DOCUMENT else ("mode", "document_mode")
    policy(**{own: mode, other: Mode.OPEN if mode == Mode.OFF else Mode.OFF})
    if verdict:
        ListedClient.objects.create(verdict=verdict, named_by=NamedBy.CLIENT_ID, value=DOCUMENT)
    outcome = OUTCOMES[mode, verdict, invited]
    if isinstance(outcome, Approval):
        assert check_newcomer(origin=origin, client_id=DOCUMENT, invited=invited) == outcome
    else:
        with pytest.raises(outcome):
            check_newcomer(origin=origin, client_id=DOCUMENT, invited=invited)


def test_the_list_compares_letter_by_letter(policy: Policy) -> None:
    policy(document_mode=Mode.LISTED)
    ListedClient.objects.create(verdict=Verdict.ALLOWED, named_by=NamedBy.CLIENT_ID, value=DOCUMENT)
    for near in (DOCUMENT + "/", DOCUMENT.upper(), DOCUMENT.replace("claude.ai", "claude.ai.evil"), ""):
        with pytest.raises(NotListedError):
            check_newcomer(origin=Origin.DOCUMENT, client_id=near)


def test_an_approved_program_comes_in_again_at_once(newcomers: Newcomers, policy: Policy, actor: Any) -> None:
    policy(mode=Mode.APPROVAL)
    body = {"client_name": "Claude", "token_endpoint_auth_method": "none"}
    waiting = [newcomers.register(**body) for _ in range(2)]
    stranger = newcomers.register(**body | {"redirect_uris": ["https://evil.example/cb"]})
    assert approve_program(client=row_of(waiting[0]), actor=actor, reason="We use it") == 2
    assert newcomers.authorize(waiting[1]).status_code == 200
    assert newcomers.authorize(newcomers.register(**body)).status_code == 200
    assert newcomers.authorize(stranger).status_code == 403
    events = Event.objects.filter(kind="admin:client:approved")
    assert {event.client_id for event in events} == {made["client_id"] for made in waiting}
    assert {event.note for event in events} == {"We use it"}


def test_a_declined_program_stops_and_is_refused_from_then_on(newcomers: Newcomers, actor: Any) -> None:
    body = {"client_name": "Claude", "token_endpoint_auth_method": "none"}
    made = newcomers.register(**body)
    tokens = newcomers.redeem(made, newcomers.allow(made)).json()
    assert decline_program(client=row_of(made), actor=actor, reason="Phishing") == 1
    with pytest.raises(InvalidToken):
        verify_access_token(tokens["access_token"])
    assert newcomers.authorize(made).status_code == 403
    answer = newcomers.ask(**body)
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert last_refusal().reason == "client_blocked"
    assert Event.objects.filter(kind="admin:client:declined", note="Phishing").count() == 1
    approve_program(client=row_of(made), actor=actor, reason="A mistake")
    assert newcomers.authorize(made).status_code == 200
    assert newcomers.ask(**body).status_code == 201


def test_a_client_blocked_by_its_id_is_refused_at_authorize_with_an_event(newcomers: Newcomers) -> None:
    made = newcomers.register()
    ListedClient.objects.create(verdict=Verdict.BLOCKED, named_by=NamedBy.CLIENT_ID, value=made["client_id"])
    page = newcomers.authorize(made)
    assert page.status_code == 403
    assert Event.objects.get(kind="oauth:authorization:refused").reason == "client_blocked"


def test_the_list_says_nothing_about_clients_that_staff_made(world: World) -> None:
    ListedClient.objects.create(verdict=Verdict.BLOCKED, named_by=NamedBy.CLIENT_ID, value=world.client.client_id)
    answer = world.browser.get(f"/oauth/authorize?client_id={world.client.client_id}&redirect_uri=https://x")
    assert Event.objects.get(kind="oauth:authorization:refused").reason == "unregistered_redirect_uri"
    assert answer.status_code == 400


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.LISTED, Mode.APPROVAL])
def test_an_invitation_opens_the_door_as_often_as_it_says(
    newcomers: Newcomers, policy: Policy, actor: Any, mode: str
) -> None:
    policy(mode=mode)
    ends = timezone.now() + timedelta(days=1)
    invited = create_invitation(name="Partner", max_uses=2, expires_at=ends, actor=actor)
    for _ in range(2):
        made = newcomers.register(token=invited.value)
        assert row_of(made).approval == Approval.APPROVED
    refused = newcomers.ask(token=invited.value)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert Client.objects.count() == 2
    assert invited.value not in str(list(InitialAccessToken.objects.values())) + str(list(Event.objects.values()))


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_an_invitation_ends(newcomers: Newcomers, actor: Any, end: str) -> None:
    invited = create_invitation(name="Partner", max_uses=2, expires_at=timezone.now() + timedelta(days=1), actor=actor)
    if end == "revoked":
        revoke_invitation(invitation=invited.invitation, actor=actor, reason="Lost")
    else:
        InitialAccessToken.objects.update(expires_at=timezone.now())
    assert newcomers.ask(token=invited.value).status_code == 401


@pytest.mark.parametrize(("revoked", "approval"), [(False, Approval.APPROVED), (True, Approval.PENDING)])
def test_an_invited_program_becomes_another_as_long_as_its_invitation_is_good(
    newcomers: Newcomers, policy: Policy, actor: Any, *, revoked: bool, approval: Approval
) -> None:
    policy(mode=Mode.APPROVAL)
    invited = create_invitation(name="Partner", max_uses=2, expires_at=timezone.now() + timedelta(days=1), actor=actor)
    made = newcomers.ask(token=invited.value).json()
    if revoked:
        revoke_invitation(invitation=invited.invitation, actor=actor, reason="Lost")
    assert newcomers.authorize(made).status_code == 200
    body = {"client_id": made["client_id"], "redirect_uris": made["redirect_uris"], "client_name": "ChatGPT"}
    assert newcomers.manage(made, "PUT", **body).status_code == 200
    assert row_of(made).approval == approval


def test_a_registration_that_fails_spends_no_invitation(newcomers: Newcomers, actor: Any) -> None:
    ends = timezone.now() + timedelta(days=1)
    invited = create_invitation(name="Partner", max_uses=1, expires_at=ends, actor=actor)
    assert newcomers.ask(token=invited.value, redirect_uris=[]).status_code == 400
    assert newcomers.ask(token=invited.value).status_code == 201


@pytest.fixture
def actor(db: None) -> Any:
    """A member of staff."""
    return user_ref(get_user_model().objects.create_user("sofia", is_staff=True))
