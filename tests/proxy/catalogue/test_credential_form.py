"""Every type of credential in the admin: checked by field, sealed, and never shown again."""

from typing import Any

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.keys.encryption import encrypt
from proxy.catalogue.credentials import (
    BasicCredential,
    BearerCredential,
    ClientCredentials,
    Credential,
    HeaderCredential,
    QueryCredential,
)
from proxy.catalogue.models import Backend
from tests.staff_browser import StaffBrowser, errors_of, last_event

ADD = "/admin/proxy/backend/add/"
JOBS = {"name": "jobs", "prefix": "/api/v1/jobs", "upstream_url": "https://jobs.example/api"}
TOKENS = {
    "client_credentials_token_url": "https://login.example/t",
    "client_credentials_client_id": "gateway",
    "client_credentials_client_secret": "s3cret",
}
FETCHED = ClientCredentials(token_url="https://login.example/t", client_id="gateway", client_secret="s3cret")
TYPED: list[tuple[str, dict[str, str], Credential]] = [
    ("header", {"header_name": "X-Key", "header_value": "s3cret"}, HeaderCredential(name="X-Key", value="s3cret")),
    ("query", {"query_name": "key", "query_value": "s3cret"}, QueryCredential(name="key", value="s3cret")),
    (
        "basic",
        {"basic_username": "josé", "basic_password": "s3cret"},
        BasicCredential(username="josé", password="s3cret"),
    ),
    ("bearer", {"bearer_token": "s3cret"}, BearerCredential(token="s3cret")),
    ("client_credentials", TOKENS, FETCHED),
]


def page() -> str:
    """The page of the only backend."""
    return f"/admin/proxy/backend/{Backend.objects.get().pk}/change/"


@pytest.mark.parametrize(("kind", "typed", "kept"), TYPED, ids=[kind for kind, _typed, _kept in TYPED])
def test_it_is_typed_sealed_shown_by_its_type_only_and_removed(
    staff: StaffBrowser, kind: str, typed: dict[str, str], kept: Credential
) -> None:
    assert staff.fill(ADD, **JOBS, credential=kind, **typed).status_code == 302
    assert Backend.objects.get().credential == kept
    assert "credential" in last_event(kind=Kind.ADMIN_OBJECT_ADDED).fields
    assert "s3cret" not in staff.text(page())
    assert staff.fill(page(), timeout_ms="5000").status_code == 302
    assert Backend.objects.get().credential == kept
    assert staff.fill(page(), credential="none").status_code == 302
    assert Backend.objects.get().credential_sealed == ""


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("header", {"header_name": "X-Key"}, "header_value"),
        ("header", {"header_value": "x"}, "header_name"),
        ("header", {"header_name": "Host", "header_value": "x"}, "header_name"),
        ("header", {"header_name": "Authorization", "header_value": "x"}, "header_name"),
        ("header", {"header_name": "X-Key", "header_value": "é"}, "header_value"),
        ("query", {"query_name": "a=b", "query_value": "x"}, "query_name"),
        ("basic", {"basic_username": "a:b", "basic_password": "x"}, "basic_username"),
        ("bearer", {}, "bearer_token"),
        ("bearer", {"bearer_token": "x" * 4097}, "bearer_token"),
        ("client_credentials", TOKENS | {"client_credentials_token_url": "x"}, "client_credentials_token_url"),
        ("client_credentials", TOKENS | {"client_credentials_scope": 'a "b"'}, "client_credentials_scope"),
        ("client_credentials", TOKENS | {"client_credentials_client_id": ""}, "client_credentials_client_id"),
        ("", {"bearer_token": "x"}, "credential"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_field(
    staff: StaffBrowser, kind: str, typed: dict[str, Any], field: str
) -> None:
    assert list(errors_of(staff.fill(ADD, **JOBS, credential=kind, **typed))) == [field]
    assert not Backend.objects.exists()


def test_what_was_typed_for_another_type_is_not_used(staff: StaffBrowser) -> None:
    staff.fill(ADD, **JOBS, credential="bearer", bearer_token="used", header_value="not used")
    assert Backend.objects.get().credential == BearerCredential(token="used")


def test_what_no_key_opens_any_more_is_said_and_can_be_replaced(staff: StaffBrowser) -> None:
    staff.fill(ADD, **JOBS)
    Backend.objects.update(credential_sealed=encrypt(b"not a credential"))
    assert "cannot be opened any more" in staff.text(page())
    assert staff.fill(page(), credential="bearer", bearer_token="new").status_code == 302
    assert Backend.objects.get().credential == BearerCredential(token="new")
