"""Staff give a client its public keys: by value or by address, checked field by field."""

import json
from typing import Any

import pytest

from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from tests.assertions import Signer, made_key
from tests.staff_browser import StaffBrowser, errors_of, last_event

KEYS = json.dumps(Signer(algorithm="ES256").key_set)
PRIVATE = json.dumps({"keys": [dict(made_key("ES256", "1", "client").as_dict(private=True))]})
SIGNED = {"token_endpoint_auth_method": "private_key_jwt", "reason": "its own key"}


@pytest.fixture
def page(db: None) -> str:
    """Where the client is changed."""
    del db
    register(path="/api/v1/gpt", title="careers")
    Scope.objects.create(name="jobs:read", title="Search jobs")
    client = create_client(
        preset="other",
        name="Reports",
        scopes=("jobs:read",),
        redirect_uris=("https://reports.example/callback",),
        default_resource="/api/v1/gpt",
        actor=None,
    ).client
    return f"/admin/oauth_provider/client/{client.pk}/change/"


@pytest.mark.parametrize(
    "values", [{"jwks": KEYS}, {"jwks_uri": "https://reports.example/jwks.json"}], ids=["by-value", "by-address"]
)
def test_keys_are_taken_and_shown_on_the_setup_sheet(staff: StaffBrowser, page: str, values: dict[str, Any]) -> None:
    assert staff.fill(page, **(SIGNED | values)).status_code == 302
    client = Client.objects.get()
    assert client.token_endpoint_auth_method == "private_key_jwt"
    assert {"jwks", "jwks_uri"} & set(last_event().fields) == set(values)
    sheet = staff.text(page.replace("change", "sheet"))
    assert "private_key_jwt" in sheet
    assert next(iter(values.values()))[:20].replace('"', "&quot;") in sheet


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "jwks"),
        ({"jwks": "{"}, "jwks"),
        ({"jwks": "[]"}, "jwks"),
        ({"jwks": '{"keys": []}'}, "jwks"),
        ({"jwks": PRIVATE}, "jwks"),
        ({"jwks": '{"keys": [{"kty": "oct", "k": "AAAA"}]}'}, "jwks"),
        ({"jwks": '{"keys": [' + "{}, " * 6000 + "{}]}"}, "jwks"),
        ({"jwks": KEYS, "jwks_uri": "https://reports.example/jwks.json"}, "jwks_uri"),
        ({"jwks_uri": "http://reports.example/jwks.json"}, "jwks_uri"),
        ({"jwks_uri": "https://user@reports.example/jwks.json"}, "jwks_uri"),
        ({"jwks_uri": "https://169.254.169.254/jwks.json"}, "jwks_uri"),
        ({"jwks_uri": "https://10.0.0.1/jwks.json"}, "jwks_uri"),
        ({"jwks_uri": "https://reports.example:22/jwks.json"}, "jwks_uri"),
        ({"jwks_uri": "javascript:alert(1)"}, "jwks_uri"),
        ({"token_endpoint_auth_method": "none", "jwks": KEYS}, "token_endpoint_auth_method"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(
    staff: StaffBrowser, page: str, values: dict[str, Any], field: str
) -> None:
    answer = staff.fill(page, **(SIGNED | values))
    assert answer.status_code == 200
    assert set(errors_of(answer)) == {field}
    assert Client.objects.get().token_endpoint_auth_method == ""


def test_another_way_to_prove_itself_needs_a_reason(staff: StaffBrowser, page: str) -> None:
    assert set(errors_of(staff.fill(page, **(SIGNED | {"jwks": KEYS, "reason": ""})))) == {"reason"}
