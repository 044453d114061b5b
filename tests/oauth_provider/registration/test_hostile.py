"""Registrations that nobody honest sends: refused by name, or made harmless; never an error of ours."""

import json
from html import escape
from typing import Any

import pytest

from audit.ledger.models import Event
from oauth_provider.clients.models import Client
from tests.oauth_provider.registration.hostile import BAD_BODIES, BAD_URIS, SAFE_NAMES, Body, good, uris
from tests.oauth_provider.registration.newcomers import REDIRECT, Newcomers, row_of
from tests.staff_browser import StaffBrowser

HOSTILE: dict[str, tuple[Body, str]] = {
    **{f"uri-{name}": (uris(uri), "redirect_uris") for name, uri in BAD_URIS.items()},
    **BAD_BODIES,
}


def test_there_are_more_than_a_hundred() -> None:
    assert len(HOSTILE) + len(SAFE_NAMES) > 100


@pytest.mark.parametrize(("body", "field"), HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_and_told_which_field(newcomers: Newcomers, body: Body, field: str) -> None:
    before = Event.objects.count()
    answer = newcomers.ask(body)
    assert answer.status_code in {400, 413}, answer.content
    said: dict[str, Any] = answer.json()
    assert set(said) == {"error", "error_description"}
    expected = "invalid_redirect_uri" if field == "redirect_uris" else "invalid_client_metadata"
    assert said["error"] == expected
    assert field in said["error_description"]
    assert said["error_description"].isascii()
    assert answer["Cache-Control"] == "no-store"
    assert not Client.objects.exists()
    assert Event.objects.count() == before + 1
    assert Event.objects.filter(kind="oauth:client:refused", status=answer.status_code).count() == 1


@pytest.mark.parametrize("uri", BAD_URIS.values(), ids=BAD_URIS.keys())
def test_beside_a_good_address_a_bad_one_is_left_out(newcomers: Newcomers, uri: str) -> None:
    made = newcomers.register(**uris(uri, REDIRECT))
    assert made["redirect_uris"] == [REDIRECT]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
        ("application/json; charset=utf-8", 201),
    ],
)
def test_f14_only_json_is_read(newcomers: Newcomers, kind: str, status: int) -> None:
    answer = newcomers.program.generic("POST", "/oauth/register", json.dumps(good()), content_type=kind)
    assert answer.status_code == status


@pytest.mark.parametrize("size", [70_000, 3_000_000])
def test_a_huge_body_is_not_read(newcomers: Newcomers, size: int) -> None:
    answer = newcomers.ask(json.dumps(good(client_name="x" * size)))
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_client_metadata")


def test_f13_a_software_statement_proves_nothing_and_is_ignored(newcomers: Newcomers) -> None:
    made = newcomers.register(software_statement="eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkNoYXRHUFQifQ.")
    assert "client_name" not in made
    assert "software_statement" not in made


@pytest.mark.parametrize("name", ["client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri"])
def test_f09_nothing_is_fetched_and_plain_http_not_kept(newcomers: Newcomers, name: str) -> None:
    # Tests have no way out of this machine: a fetch would fail
    assert name not in newcomers.register(**{name: "http://169.254.169.254/latest/meta-data/"})


@pytest.mark.parametrize(("given", "kept"), SAFE_NAMES.values(), ids=SAFE_NAMES.keys())
def test_a_name_is_made_harmless(newcomers: Newcomers, given: str, kept: str) -> None:
    made = newcomers.register(client_name=given, token_endpoint_auth_method="none")
    assert made.get("client_name", "") == kept
    shown = newcomers.authorize(made).content.decode()
    assert f"<bdi>{escape(kept or made['client_id'], quote=True)}</bdi>" in shown
    assert "app.example" in shown
    assert "Unverified" in shown


@pytest.mark.parametrize("given", [name for name, _kept in SAFE_NAMES.values() if "<" in name or "{" in name])
def test_nothing_of_a_name_is_markup_on_any_page(newcomers: Newcomers, staff: StaffBrowser, given: str) -> None:
    made = newcomers.register(client_name=given, token_endpoint_auth_method="none")
    newcomers.allow(made)
    pages = [
        newcomers.authorize(made),
        newcomers.authorize(made, redirect_uri="https://evil.example/"),
        newcomers.person.get("/connected-apps/"),
        staff.open("/admin/oauth_provider/client/"),
        staff.open(f"/admin/oauth_provider/client/{row_of(made).pk}/change/"),
        staff.open(f"/admin/oauth_provider/client/{row_of(made).pk}/decline/"),
        staff.open(f"/admin/oauth_provider/client/{row_of(made).pk}/trust/"),
        staff.open("/admin/oauth_provider/connection/"),
        staff.open("/admin/audit/event/"),
    ]
    for page in pages:
        text = page.content.decode()
        assert page.status_code in {200, 400}
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text
    assert escape(given) in pages[2].content.decode()
