"""Dynamic registration (RFC 7591): what is kept, what is answered, what is refused."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from joserfc.jwk import ECKey

from audit.ledger.events import UserRef
from audit.ledger.models import Event
from oauth_provider.clients.models import Approval, Client, Trust
from oauth_provider.registration.invitations import create_invitation
from oauth_provider.registration.models import Mode, Registration, RegistrationPolicy
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.oauth_provider.registration.newcomers import REDIRECT, Newcomers, last_refusal, row_of

Policy = Callable[..., RegistrationPolicy]


def test_a_program_registers_is_allowed_and_gets_tokens(newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="Desk", token_endpoint_auth_method="none")
    tokens = newcomers.redeem(made, newcomers.allow(made, scope="tool:read")).json()
    assert verify_access_token(tokens["access_token"]).scopes == {"tool:read"}
    renewed = newcomers.token(made, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert renewed.status_code == 200


def test_the_answer_is_complete_and_holds_nothing_empty(newcomers: Newcomers) -> None:
    made = newcomers.register(
        client_name="Desk",
        client_uri="https://app.example/",
        logo_uri="",
        policy_uri=None,
        application_type="native",
        software_id="4NRB1-0XZABZI9E6-5SM3R",
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
        scope="tool:read",
        contacts=["ana@app.example"],
        unknown={"deep": [None]},
    )
    assert re.fullmatch("[A-Za-z0-9]+", made["client_id"])
    assert re.fullmatch("gh_reg_[A-Za-z0-9]{43}", made.pop("registration_access_token"))
    assert made.pop("registration_client_uri").endswith(f"/oauth/register/{made['client_id']}")
    registered_at = row_of(made).registered_at
    assert registered_at is not None
    assert made.pop("client_id_issued_at") == int(registered_at.timestamp())
    made.pop("client_id")
    assert made == {
        "client_name": "Desk",
        "client_uri": "https://app.example/",
        "application_type": "native",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "tool:read",
    }


def test_a_client_that_names_no_method_keeps_a_secret(newcomers: Newcomers) -> None:
    made = newcomers.register()
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert re.fullmatch("[A-Za-z0-9]{43}", made["client_secret"])
    assert made["client_secret_expires_at"] == 0
    assert newcomers.redeem(made, newcomers.allow(made)).status_code == 200
    assert newcomers.redeem(made | {"client_secret": "x" * 43}, newcomers.allow(made)).status_code == 401


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        ({"token_endpoint_auth_method": "client_secret_post"}, "client_secret_post"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "client_secret_basic"),
        (
            {
                "token_endpoint_auth_method": "tls_client_auth",
                "token_endpoint_auth_methods_supported": ["tls_client_auth", "none"],
            },
            "none",
        ),
        ({"redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]}, "none"),
    ],
)
def test_the_method_is_the_first_that_is_known_here(newcomers: Newcomers, fields: Any, method: str) -> None:
    assert newcomers.register(**fields)["token_endpoint_auth_method"] == method


def test_a_client_with_a_key_has_no_secret(newcomers: Newcomers) -> None:
    jwks = {"keys": [ECKey.generate_key("P-256", private=True).as_dict(private=False)]}
    made = newcomers.register(token_endpoint_auth_method="private_key_jwt", jwks=jwks)
    assert made["jwks"] == jwks
    assert "client_secret" not in made
    assert row_of(made).token_endpoint_auth_method == "private_key_jwt"
    assert newcomers.token(made, grant_type="refresh_token", refresh_token="gh_rt_x").status_code == 401


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"jwks": []},
        {"jwks": "{}"},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"jwks_uri": "http://169.254.169.254/"},
        {"jwks_uri": "https://127.0.0.1/"},
        {"jwks_uri": 5},
        {"jwks": {"keys": [{}]}, "jwks_uri": "https://app.example/jwks.json"},
    ],
)
def test_a_key_that_proves_nothing_is_refused(newcomers: Newcomers, keys: dict[str, Any]) -> None:
    answer = newcomers.ask(token_endpoint_auth_method="private_key_jwt", **keys)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert "jwks" in answer.json()["error_description"]


def test_what_is_not_supported_is_left_out(newcomers: Newcomers) -> None:
    made = newcomers.register(
        grant_types=["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "password"],
        response_types=["code", "token"],
        scope="tool:read payroll:read nonsense",
        redirect_uris=[REDIRECT, "http://evil.example/cb", "cursor://anysphere.cursor-mcp/cb", REDIRECT],
        token_endpoint_auth_method="client_secret_post",
        client_uri="http://app.example/",
    )
    assert made["grant_types"] == ["authorization_code", "refresh_token"]
    assert made["response_types"] == ["code"]
    assert made["scope"] == "tool:read"
    assert made["redirect_uris"] == [REDIRECT]
    assert "client_uri" not in made


def test_a_client_may_ask_for_every_open_permission_and_no_other(newcomers: Newcomers) -> None:
    made = newcomers.register(scope="tool:read")
    assert newcomers.authorize(made, scope="tool:read tool:write").status_code == 200
    tokens = newcomers.redeem(made, newcomers.allow(made, scope="payroll:read tool:read")).json()
    assert tokens["scope"] == "tool:read"
    refused = newcomers.authorize(made, scope="payroll:read")
    assert "error=invalid_scope" in refused["Location"]


def test_without_a_scope_it_is_registered_for_all_open_ones(newcomers: Newcomers) -> None:
    assert newcomers.register()["scope"] == "tool:read tool:write"
    assert newcomers.register(scope="claudeai")["scope"] == "tool:read tool:write"


def test_it_is_unverified_and_recorded(newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="ChatGPT")
    client = row_of(made)
    assert (client.trust, client.origin, client.is_quarantined) == (Trust.UNVERIFIED, "dynamic", True)
    event = Event.objects.get(kind="oauth:client:registered")
    assert (event.client_id, event.decision, event.status) == (made["client_id"], "allow", 201)
    newcomers.allow(made)
    assert not row_of(made).is_quarantined


def test_nothing_secret_is_stored(newcomers: Newcomers) -> None:
    made = newcomers.register()
    stored = str(list(Client.objects.values())) + str(list(Registration.objects.values()))
    stored += str(list(Event.objects.values()))
    assert made["registration_access_token"] not in stored
    assert made["client_secret"] not in stored


def test_a_loopback_client_may_use_any_port_with_or_without_a_secret(newcomers: Newcomers) -> None:
    for method in ("none", "client_secret_post"):
        made = newcomers.register(redirect_uris=["http://localhost/callback"], token_endpoint_auth_method=method)
        assert newcomers.authorize(made, redirect_uri="http://localhost:55564/callback").status_code == 200
        assert newcomers.authorize(made, redirect_uri="http://127.0.0.1:55564/callback").status_code == 400


def test_f01_nobody_registers_where_it_is_off(newcomers: Newcomers, policy: Policy) -> None:
    document = "/.well-known/oauth-authorization-server"
    assert newcomers.program.get(document).json()["registration_endpoint"].endswith("/oauth/register")
    policy(mode=Mode.OFF)
    assert newcomers.ask().status_code == 404
    assert last_refusal().reason == "registration_off"
    assert "registration_endpoint" not in newcomers.program.get(document).json()


def test_in_the_queue_a_client_waits(newcomers: Newcomers, policy: Policy) -> None:
    policy(mode=Mode.APPROVAL)
    made = newcomers.register(token_endpoint_auth_method="none")
    assert row_of(made).approval == Approval.PENDING
    page = newcomers.authorize(made)
    assert page.status_code == 403
    assert b"waits for approval" in page.content
    assert newcomers.token(made, grant_type="refresh_token", refresh_token="gh_rt_x").status_code == 401


def test_without_a_saved_policy_clients_wait(newcomers: Newcomers) -> None:
    RegistrationPolicy.objects.all().delete()
    assert row_of(newcomers.register()).approval == Approval.PENDING


def test_f10_its_token_is_good_for_its_registration_only(newcomers: Newcomers) -> None:
    made = newcomers.register(token_endpoint_auth_method="none")
    token = made["registration_access_token"]
    with pytest.raises(InvalidToken):
        verify_access_token(token)
    for parameters in (
        {"grant_type": "refresh_token", "refresh_token": token},
        {"grant_type": "authorization_code", "code": token, "code_verifier": "v" * 64},
    ):
        assert newcomers.token(made, **parameters).json()["error"] == "invalid_grant"
    assert newcomers.ask(token=token).status_code == 401


def test_answers_are_not_stored_and_may_be_read_by_the_origins_of_the_settings(newcomers: Newcomers) -> None:
    answer = newcomers.ask()
    assert answer["Cache-Control"] == "no-store"
    with override_settings(CORS_ALLOWED_ORIGINS=["https://chatgpt.com"]):
        asked = newcomers.program.options(
            "/oauth/register",
            headers={"Origin": "https://chatgpt.com", "Access-Control-Request-Method": "POST"},
        )
    assert asked["Access-Control-Allow-Origin"] == "https://chatgpt.com"


def test_f12_a_cookie_means_nothing(newcomers: Newcomers) -> None:
    answer = newcomers.person.post(
        "/oauth/register",
        '{"redirect_uris": ["https://app.example/callback"]}',
        content_type="application/json",
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer
    assert Event.objects.get(kind="oauth:client:registered").subject == ""


def test_f02_a_flood_is_held_up(newcomers: Newcomers) -> None:
    with override_settings(OAUTH_RATES={"register": "3/m", "register_hourly": "5/h"}):
        answers = [newcomers.ask() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert Event.objects.filter(kind="oauth:client:refused", reason="rate_limited").count() == 1


def test_f02_the_second_window_holds_where_the_first_does_not(newcomers: Newcomers) -> None:
    with override_settings(OAUTH_RATES={"register": "30/m", "register_hourly": "2/h"}):
        assert [newcomers.ask().status_code for _ in range(3)] == [201, 201, 429]


def test_f02_unused_registrations_have_an_end(newcomers: Newcomers, policy: Policy) -> None:
    policy(max_unused=2)
    first = newcomers.register()
    newcomers.register()
    assert newcomers.ask().status_code == 503
    assert last_refusal().reason == "too_many_registrations"
    expected = create_invitation(
        name="Partner", max_uses=1, expires_at=timezone.now() + timedelta(days=1), actor=UserRef(1, "staff")
    )
    invited = newcomers.ask(token=expected.value)
    assert invited.status_code == 201
    newcomers.allow(first)
    newcomers.allow(invited.json())
    assert newcomers.ask().status_code == 201


def test_f03_registrations_of_the_same_program_have_one_fingerprint(newcomers: Newcomers) -> None:
    body = {"client_name": "Claude", "redirect_uris": ["http://127.0.0.1:1/cb"], "token_endpoint_auth_method": "none"}
    twins = [
        newcomers.register(**body | {"redirect_uris": [f"http://127.0.0.1:{port}/cb"], "software_version": str(port)})
        for port in (1, 65535)
    ]
    other = newcomers.register(**body | {"redirect_uris": ["http://127.0.0.1/other"]})
    prints = [row_of(made).fingerprint for made in (*twins, other)]
    assert prints[0] == prints[1] != prints[2]
    assert twins[0]["client_id"] != twins[1]["client_id"]


def test_a_person_finds_the_connections_of_one_program_together(newcomers: Newcomers) -> None:
    for name in ("Claude", "Cursor", "Claude"):
        newcomers.allow(newcomers.register(client_name=name, token_endpoint_auth_method="none"))
    page = newcomers.person.get("/connected-apps/").content.decode()
    found = re.findall(r"<bdi>(Claude|Cursor)</bdi>", page)
    assert found == ["Claude", "Claude", "Cursor"]
    assert page.count("One of 2 connections of the same application.") == 2
