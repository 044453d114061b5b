"""An access token exchanged for another with at most its scopes and its life (RFC 8693)."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from audit.ledger.models import Event
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.resources.models import Resource
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.exchange import MAX_ANCESTORS, TOKEN_EXCHANGE
from oauth_provider.tokens.exchange_grant import ACCESS_TOKEN_TYPE
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World

Worlds = Callable[..., World]


@pytest.fixture
def agent(make_world: Worlds) -> World:
    """A confidential client that people connect and that may exchange its own tokens."""
    return make_world(may_exchange_tokens=True)


@pytest.fixture
def helper(agent: World, make_world: Worlds) -> World:
    """A service that may exchange the agent's tokens."""
    world = service(make_world)
    world.client.exchanges_for.add(agent.client)
    return world


def service(make_world: Worlds) -> World:
    return make_world(
        username="nobody",
        preset=Preset.SERVICE,
        authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
        redirect_uris="",
        may_exchange_tokens=True,
    )


def exchange(world: World, token: str, **parameters: Any) -> Any:
    defaults = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN_TYPE}
    return world.token(**(defaults | parameters))


def exchanged(world: World, token: str, **parameters: Any) -> str:
    answer = exchange(world, token, **parameters)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["access_token"])


def refused(token: str) -> str | None:
    try:
        verify_access_token(token)
    except InvalidToken as fault:
        return fault.reason
    return None


def test_a_client_gets_a_token_with_fewer_scopes_for_its_own(agent: World) -> None:
    subject = agent.pair()["access_token"]
    answer = exchange(agent, subject, scope="tool:read")
    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert set(body) == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS_TOKEN_TYPE, "Bearer")
    assert body["scope"] == "tool:read"
    old, new = verify_access_token(subject), verify_access_token(body["access_token"])
    assert new.scopes == {"tool:read"}
    assert (new.user, new.connection, new.resources) == (old.user, old.connection, old.resources)
    assert new.clients == (agent.client.client_id, agent.client.client_id)


def test_without_scope_it_gets_what_the_subject_opens(agent: World) -> None:
    subject = agent.pair(scopes=("tool:read",))["access_token"]
    assert exchange(agent, subject).json()["scope"] == "tool:read"


@pytest.mark.parametrize("scope", ["tool:write", "tool:read tool:write", "nope"])
def test_it_never_gets_more(agent: World, scope: str) -> None:
    subject = agent.pair(scopes=("tool:read",))["access_token"]
    answer = exchange(agent, subject, scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert get_access_token_model().objects.count() == 1


def test_what_was_given_up_cannot_be_exchanged_back(agent: World) -> None:
    narrow = exchanged(agent, agent.pair()["access_token"], scope="tool:read")
    assert exchange(agent, narrow, scope="tool:write").json()["error"] == "invalid_scope"


def test_it_never_lives_longer(agent: World) -> None:
    subject = agent.pair()["access_token"]
    get_access_token_model().objects.update(expires=timezone.now() + timedelta(minutes=10))
    body = exchange(agent, subject).json()
    assert 595 <= body["expires_in"] <= 600
    old, new = verify_access_token(subject), verify_access_token(body["access_token"])
    assert new.expires_at <= old.expires_at


def test_another_client_acts_in_its_place_where_staff_let_it(agent: World, helper: World) -> None:
    token = exchanged(helper, agent.pair()["access_token"])
    verified = verify_access_token(token)
    assert verified.user is not None
    assert (verified.user.user_id, verified.client_id) == (agent.connection.user_id, helper.client.client_id)
    assert verified.clients == (agent.client.client_id, helper.client.client_id)
    assert verified.connection == str(agent.connection.pk)


def test_its_own_permissions_are_a_ceiling_too(agent: World, helper: World) -> None:
    Client.objects.filter(pk=helper.client.pk).update(allowed_scopes="tool:read")
    subject = agent.pair()["access_token"]
    assert exchange(helper, subject).json()["scope"] == "tool:read"
    assert exchange(helper, subject, scope="tool:write").json()["error"] == "invalid_scope"


def test_the_chain_of_clients_is_recorded(agent: World, helper: World) -> None:
    subject = agent.pair()["access_token"]
    verified = verify_access_token(exchanged(helper, exchanged(agent, subject), scope="tool:read"))
    event = Event.objects.filter(operation="token-exchange").latest("timestamp")
    own, other = agent.client.client_id, helper.client.client_id
    assert verified.clients == (own, own, other)
    assert (event.kind, event.client_id, event.scopes) == ("oauth:token:issued", other, "tool:read")
    assert event.note == f"{own} > {own} > {other}"
    assert (event.connection, event.token) == (str(agent.connection.pk), verified.fingerprint)


def test_whoever_serves_the_api_sees_the_chain(agent: World, helper: World) -> None:
    token = exchanged(helper, agent.pair()["access_token"])
    told = agent.introspect(token).json()
    assert told["act"] == {"sub": helper.client.client_id, "act": {"sub": agent.client.client_id}}


def test_a_service_exchanges_its_own_without_a_person(make_world: Worlds) -> None:
    world = service(make_world)
    subject = world.token(grant_type="client_credentials").json()["access_token"]
    token = exchanged(world, subject, scope="tool:read")
    assert verify_access_token(token).scopes == {"tool:read"}
    world.post("/oauth/revoke", token=subject)
    assert refused(token) == "revoked"


def test_nothing_is_left_of_a_service_that_was_deleted(make_world: Worlds) -> None:
    first, second = service(make_world), service(make_world)
    second.client.exchanges_for.add(first.client)
    token = exchanged(second, first.token(grant_type="client_credentials").json()["access_token"])
    assert refused(token) is None
    first.client.delete()
    assert refused(token) == "revoked"


ENDS: dict[str, tuple[Callable[[World, World, str], Any], str]] = {
    "connection": (
        lambda agent, _helper, _subject: revoke_connection(
            connection=agent.connection, actor=None, by="user", reason=""
        ),
        "unknown",
    ),
    "subject-given-back": (lambda agent, _helper, subject: agent.post("/oauth/revoke", token=subject), "unknown"),
    "subject-deleted": (
        lambda _agent, _helper, subject: (
            get_access_token_model()
            .objects.filter(token_checksum=hashlib.sha256(subject.encode()).hexdigest())
            .delete()
        ),
        "revoked",
    ),
    "first-client": (
        lambda agent, _helper, _subject: suspend_client(client=agent.client, actor=None, reason="test"),
        "suspended_client",
    ),
    "own-client": (
        lambda _agent, helper, _subject: suspend_client(client=helper.client, actor=None, reason="test"),
        "suspended_client",
    ),
    "person": (
        lambda agent, _helper, _subject: type(agent.connection.user).objects.update(is_active=False),
        "inactive_user",
    ),
}


@pytest.mark.parametrize(("end", "reason"), ENDS.values(), ids=ENDS.keys())
def test_what_ends_the_subject_ends_it(
    agent: World, helper: World, end: Callable[[World, World, str], Any], reason: str
) -> None:
    subject = agent.pair()["access_token"]
    token = exchanged(helper, exchanged(agent, subject))
    assert refused(token) is None
    end(agent, helper, subject)
    assert refused(token) == reason


def test_an_earlier_access_token_takes_what_it_was_exchanged_for_along(agent: World, helper: World) -> None:
    first = agent.pair()
    token = exchanged(helper, exchanged(agent, first["access_token"]))
    second = agent.refresh(first["refresh_token"]).json()
    agent.post("/oauth/revoke", token=first["access_token"])
    assert refused(token) == "revoked"
    assert refused(second["access_token"]) is None


def test_giving_it_back_ends_it_alone(agent: World, helper: World) -> None:
    subject = agent.pair()["access_token"]
    token = exchanged(helper, subject)
    helper.post("/oauth/revoke", token=token)
    assert refused(token) == "unknown"
    assert refused(subject) is None


def test_scopes_taken_away_anywhere_are_gone(agent: World, helper: World) -> None:
    token = exchanged(helper, agent.pair()["access_token"])
    Client.objects.filter(pk=agent.client.pk).update(allowed_scopes="tool:read")
    assert verify_access_token(token).scopes == {"tool:read"}
    Scope.objects.filter(name="tool:read").update(enabled=False)
    assert verify_access_token(token).scopes == frozenset()


def test_a_replay_kills_what_the_family_was_exchanged_for(agent: World, helper: World) -> None:
    code = agent.code()
    token = exchanged(helper, agent.redeem(code).json()["access_token"])
    agent.redeem(code)
    assert refused(token) == "unknown"


def test_it_is_off_until_staff_allow_it(world: World) -> None:
    answer = exchange(world, world.pair()["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert Event.objects.get(kind="oauth:token:refused").reason == "grant_type_not_allowed"


def test_a_public_client_exchanges_nothing(make_world: Worlds) -> None:
    public = make_world(client_type=Client.CLIENT_PUBLIC, may_exchange_tokens=True)
    assert exchange(public, public.pair()["access_token"]).json()["error"] == "unauthorized_client"


def test_a_client_that_cannot_prove_itself_exchanges_nothing(agent: World) -> None:
    answer = exchange(agent, agent.pair()["access_token"], client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_token_of_a_stranger_is_refused_like_an_unknown_one(agent: World, make_world: Worlds) -> None:
    stranger = service(make_world)
    foreign, unknown = exchange(stranger, agent.pair()["access_token"]), exchange(stranger, "gh_at_" + "x" * 43)
    assert foreign.status_code == unknown.status_code == 400
    assert foreign.json() == unknown.json()
    assert foreign.json()["error"] == "invalid_request"
    reasons = Event.objects.filter(kind="oauth:token:refused").order_by("timestamp").values_list("reason", flat=True)
    assert list(reasons) == ["foreign_subject", "subject_unknown"]


@pytest.mark.parametrize("kind", ["refresh_token", "expired"])
def test_only_a_live_access_token_is_exchanged(agent: World, kind: str) -> None:
    pair = agent.pair()
    if kind == "expired":
        get_access_token_model().objects.update(expires=F("created"))
    token = pair["access_token" if kind == "expired" else kind]
    assert exchange(agent, token).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "parameters",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "x", "actor_token_type": ACCESS_TOKEN_TYPE},
        {"audience": "elsewhere"},
    ],
)
def test_what_we_do_not_speak_is_an_invalid_request(agent: World, parameters: dict[str, Any]) -> None:
    answer = exchange(agent, agent.pair()["access_token"], **parameters)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_it_stays_with_its_api(agent: World) -> None:
    register(path="/api/v1/other", title="Other")
    other = Resource.objects.get(path="/api/v1/other").identifier
    subject = agent.pair()["access_token"]
    assert exchange(agent, subject, resource=other).json()["error"] == "invalid_target"
    assert exchange(agent, subject, resource=agent.connection.resource.identifier).status_code == 200


def test_a_loop_of_exchanges_ends(agent: World) -> None:
    token = agent.pair()["access_token"]
    for _ in range(MAX_ANCESTORS):
        token = exchanged(agent, token)
    assert exchange(agent, token).json()["error"] == "invalid_request"


def test_it_is_advertised(agent: World) -> None:
    document = agent.browser.get("/.well-known/oauth-authorization-server").json()
    assert TOKEN_EXCHANGE in document["grant_types_supported"]


def test_an_exchanged_token_is_verified_by_one_statement(
    agent: World, helper: World, django_assert_num_queries: Callable[[int], Any]
) -> None:
    token = exchanged(helper, exchanged(agent, agent.pair()["access_token"]))
    with django_assert_num_queries(1):
        verify_access_token(token)
