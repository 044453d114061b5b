"""Codes and refresh tokens: rows B04 to B13 and E01 to E12 of the attack tables."""

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from audit.ledger.models import Event
from oauth_provider.clients.suspend import resume_client, suspend_client
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import REDIRECT, World

Worlds = Callable[..., World]


def refused(token: str) -> str:
    with pytest.raises(InvalidToken) as caught:
        verify_access_token(token)
    return caught.value.reason


def test_a_code_becomes_a_pair_that_opens_what_was_agreed(world: World) -> None:
    answer = world.redeem(world.code())
    body = answer.json()
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json"
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "tool:read tool:write")
    verified = verify_access_token(body["access_token"])
    assert verified.scopes == {"tool:read", "tool:write"}
    assert verified.resources == (world.connection.resource.identifier,)
    assert verified.connection == str(world.connection.pk)
    assert verified.user is not None
    assert verified.user.user_id == world.connection.user_id
    assert Event.objects.get(kind="oauth:token:issued").client_id == world.client.client_id


def test_no_raw_token_is_stored(world: World) -> None:
    pair = world.pair()
    rows = [*get_access_token_model().objects.values(), *get_refresh_token_model().objects.values()]
    assert not any(value in str(rows) for value in (pair["access_token"], pair["refresh_token"]))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"code_verifier": None}, "invalid_request", id="B04-no-verifier"),
        pytest.param({"code_verifier": "w" * 64}, "invalid_grant", id="B05-wrong-verifier"),
        pytest.param({"redirect_uri": "https://client.example/other"}, "invalid_grant", id="B10-other-redirect"),
        pytest.param({"resource": "https://elsewhere.example"}, "invalid_target", id="foreign-resource"),
    ],
)
def test_a_wrong_redemption_is_refused_and_spends_nothing(world: World, changes: dict[str, str], error: str) -> None:
    code = world.code()
    answer = world.redeem(code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert Event.objects.filter(kind="oauth:token:refused").count() == 1
    assert world.redeem(code).status_code == 200, "B06: a failed attempt does not spend the code"


def test_b08_a_replayed_code_kills_what_it_bought(world: World) -> None:
    code = world.code()
    pair = world.redeem(code).json()
    replay = world.redeem(code)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert refused(pair["access_token"]) == "unknown"
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert Event.objects.get(kind="oauth:token:replayed").reason == "code_replayed"
    assert read_all()["revocation"] >= 1


def test_a_code_of_another_client_is_unknown_and_kills_nothing(world: World, make_world: Worlds) -> None:
    other, code = make_world(username="bruno"), world.code()
    assert other.redeem(code).json()["error"] == "invalid_grant"
    assert world.redeem(code).status_code == 200


def test_b11_redirect_uri_may_be_left_out_with_pkce(world: World) -> None:
    assert world.redeem(world.code(), redirect_uri=None).status_code == 200


def test_b12_a_code_expires(world: World) -> None:
    assert world.redeem(world.code(lifetime=timedelta(seconds=-1))).json()["error"] == "invalid_grant"


def test_b13_the_loopback_port_of_the_authorization_request_counts(public: World) -> None:
    code = public.code(redirect_uri="http://127.0.0.1:5555/callback")
    assert public.redeem(code, redirect_uri="http://127.0.0.1:6666/callback").json()["error"] == "invalid_grant"


def test_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    assert world.redeem(world.code(challenge="")).json()["error"] == "invalid_grant"


def test_a_public_client_redeems_and_refreshes_without_a_secret(public: World) -> None:
    assert public.refresh(public.pair()["refresh_token"]).status_code == 200


def test_the_resource_may_be_repeated(world: World) -> None:
    assert world.redeem(world.code(), resource=world.connection.resource.identifier).status_code == 200


def test_refresh_rotates_and_both_access_tokens_live(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (
        verify_access_token(first["access_token"]).connection == verify_access_token(second["access_token"]).connection
    )
    assert Event.objects.filter(kind="oauth:token:refreshed").count() == 1


def test_e01_a_refresh_token_is_bound_to_its_client(world: World, make_world: Worlds) -> None:
    pair = world.pair()
    assert make_world(username="bruno").refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert world.refresh(pair["refresh_token"]).status_code == 200


def test_e02_a_refresh_cannot_ask_for_more(world: World) -> None:
    pair = world.pair(scopes=("tool:read",))
    assert world.refresh(pair["refresh_token"], scope="tool:read tool:write").json()["error"] == "invalid_scope"


def test_e03_less_once_is_not_less_for_ever(world: World) -> None:
    narrow = world.refresh(world.pair()["refresh_token"], scope="tool:read").json()
    assert verify_access_token(narrow["access_token"]).scopes == {"tool:read"}
    assert world.refresh(narrow["refresh_token"]).json()["scope"] == "tool:read tool:write"


def test_e04_reuse_kills_the_family(world: World) -> None:
    first = world.pair()
    second = world.refresh(first["refresh_token"]).json()
    long_ago = timezone.now() - timedelta(minutes=5)
    get_refresh_token_model().objects.exclude(revoked=None).update(revoked=long_ago)
    assert world.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert {refused(first["access_token"]), refused(second["access_token"])} == {"unknown"}
    assert world.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert Event.objects.get(kind="oauth:token:replayed").connection == str(world.connection.pk)


def test_e07_a_revoked_refresh_token_has_no_grace(world: World) -> None:
    pair = world.pair()
    assert world.post("/oauth/revoke", token=pair["refresh_token"]).status_code == 200
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_e08_the_resource_cannot_change(world: World) -> None:
    answer = world.refresh(world.pair()["refresh_token"], resource="https://elsewhere.example/mcp")
    assert answer.json()["error"] == "invalid_target"


def test_e10_a_revoked_connection_ends_everything(world: World) -> None:
    pair, pending = world.pair(), world.code()
    revoke_connection(connection=world.connection, actor=None, by="user", reason="")
    assert refused(pair["access_token"]) == "unknown"
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert world.redeem(pending).json()["error"] == "invalid_grant"
    event = Event.objects.get(kind="oauth:connection:revoked")
    assert (event.connection, event.reason) == (str(world.connection.pk), "by_user")


def test_e11_the_two_kinds_of_token_are_not_interchangeable(world: World) -> None:
    pair = world.pair()
    assert refused(pair["refresh_token"]) == "unknown"
    assert world.refresh(pair["access_token"]).json()["error"] == "invalid_grant"


def test_e12_a_client_that_is_gone_gets_invalid_client(world: World) -> None:
    answer = world.refresh(world.pair()["refresh_token"], client_id="gone")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_inactive_user_has_no_access_on_any_path(world: World) -> None:
    pair, code = world.pair(), world.code()
    type(world.connection.user).objects.update(is_active=False)
    assert refused(pair["access_token"]) == "inactive_user"
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert world.redeem(code).json()["error"] == "invalid_grant"


def test_a_suspended_client_has_no_access_until_it_is_resumed(world: World) -> None:
    pair = world.pair()
    suspend_client(client=world.client, actor=None, reason="test")
    assert refused(pair["access_token"]) == "suspended_client"
    assert world.refresh(pair["refresh_token"]).status_code == 401
    resume_client(client=world.client, actor=None, reason="test")
    assert verify_access_token(pair["access_token"]).client_id == world.client.client_id


def test_a_disabled_scope_is_gone_at_once_and_at_refresh(world: World) -> None:
    pair = world.pair()
    Scope.objects.filter(name="tool:write").update(enabled=False)
    assert verify_access_token(pair["access_token"]).scopes == {"tool:read"}
    assert world.refresh(pair["refresh_token"]).json()["scope"] == "tool:read"


def test_scopes_taken_from_the_client_or_the_connection_are_gone(world: World) -> None:
    pair = world.pair()
    world.client.allowed_scopes = "tool:read"
    world.client.save()
    assert verify_access_token(pair["access_token"]).scopes == {"tool:read"}
    world.connection.scopes = "tool:write"
    world.connection.save()
    assert verify_access_token(pair["access_token"]).scopes == frozenset()
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.django_db
def test_an_unknown_token_is_refused() -> None:
    assert refused("gh_at_" + secrets.token_urlsafe(32)) == "unknown"


def test_an_expired_access_token_is_refused(world: World) -> None:
    pair = world.pair()
    get_access_token_model().objects.update(expires=timezone.now())
    assert refused(pair["access_token"]) == "expired"


def test_verification_is_one_statement(world: World, django_assert_num_queries: Callable[[int], object]) -> None:
    pair = world.pair()
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        verify_access_token(pair["access_token"])


def test_d19_tokens_are_random_and_recognisable(world: World) -> None:
    pair = world.pair()
    assert pair["access_token"].startswith("gh_at_")
    assert pair["refresh_token"].startswith("gh_rt_")
    assert len(pair["access_token"]) == len(pair["refresh_token"]) == 49


def test_the_redirect_is_the_one_of_the_request(world: World) -> None:
    assert world.redeem(world.code(redirect_uri=REDIRECT)).status_code == 200
