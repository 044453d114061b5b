"""Until somebody allows it something, a client that registered itself can ask people, and nothing else."""

import pytest

from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.oauth_provider.registration.newcomers import Newcomers, row_of

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.mark.parametrize("method", ["none", "client_secret_post"])
@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "client_credentials"},
        {"grant_type": "client_credentials", "scope": "tool:read"},
        {"grant_type": "password", "username": "ana-r", "password": "correct horse"},
        {"grant_type": EXCHANGE, "subject_token": "gh_at_x", "subject_token_type": "access_token"},
        {"grant_type": DEVICE, "device_code": "x"},
        {"grant_type": "refresh_token", "refresh_token": "gh_rt_x"},
        {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 64},
    ],
    ids=lambda fields: str(fields["grant_type"]).rpartition(":")[2] + ("-scope" if "scope" in fields else ""),
)
def test_no_grant_gives_it_anything(newcomers: Newcomers, method: str, fields: dict[str, str]) -> None:
    made = newcomers.register(token_endpoint_auth_method=method)
    answer = newcomers.token(made, **fields)
    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()
    assert row_of(made).is_quarantined


def test_it_starts_nothing_on_a_device(newcomers: Newcomers) -> None:
    made = newcomers.register(token_endpoint_auth_method="none", grant_types=["authorization_code", DEVICE])
    answer = newcomers.post("/oauth/device_authorization", client_id=made["client_id"], scope="tool:read")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_it_learns_nothing_about_tokens(newcomers: Newcomers) -> None:
    other = newcomers.register(token_endpoint_auth_method="none")
    token = newcomers.redeem(other, newcomers.allow(other)).json()["access_token"]
    made = newcomers.register(token_endpoint_auth_method="client_secret_post")
    form = {"client_id": made["client_id"], "client_secret": made["client_secret"], "token": token}
    assert newcomers.post("/oauth/introspect", **form).json() == {"active": False}
    assert newcomers.post("/oauth/revoke", **form).status_code == 200
    assert verify_access_token(token).client_id == other["client_id"]


def test_a_refusal_leaves_it_in_quarantine(newcomers: Newcomers) -> None:
    made = newcomers.register(token_endpoint_auth_method="none")
    newcomers.authorize(made)
    assert row_of(made).is_quarantined
    newcomers.allow(made)
    assert not row_of(made).is_quarantined
    with pytest.raises(InvalidToken):
        verify_access_token(made["registration_access_token"])
