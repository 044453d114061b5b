"""Issuers over the management API: fields, refusals by field, and what the ledger and the data plane make of it."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.revisions.read import read_all
from proxy.issuers.plans import read_issuers
from tests.management_api import REASON, Api, api_of, errors_of, signed_in
from tests.staff_browser import last_event

CLERK: dict[str, Any] = {
    "name": "clerk",
    "issuer": "https://clerk.example.com",
    "audience": "https://api.example.com",
    "jwks_url": "https://clerk.example.com/.well-known/jwks.json",
}


@pytest.fixture
def clerk(api: Api) -> dict[str, Any]:
    """An issuer."""
    return api.made("issuers/", **CLERK)


def test_an_issuer_has_the_documented_fields_and_defaults(clerk: dict[str, Any]) -> None:
    assert clerk == CLERK | {"algorithms": ["RS256"], "claims": {}, "allow_private": False, "enabled": True}


def test_it_is_listed_read_changed_and_removed_by_its_name(api: Api, clerk: dict[str, Any]) -> None:
    assert api.get("issuers/").json() == {"count": 1, "next": None, "results": [clerk]}
    assert api.get("issuers/clerk/").json() == clerk
    before = read_all()["catalogue"]
    changes = {
        "audience": ["https://api.example.com", "second"],
        "algorithms": ["ES256", "EdDSA"],
        "claims": {"user": "sub", "scopes": "permissions", "tenant": "o.id"},
    }
    assert api.patch("issuers/clerk/", changes, **REASON).json() == clerk | changes
    assert read_all()["catalogue"] > before
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED, target="issuer:clerk")
    assert (event.fields, event.note) == (["algorithms", "audience", "claims"], REASON["X-Reason"])
    plan = read_issuers()["https://clerk.example.com"]
    assert plan.audiences == set(changes["audience"])
    assert plan.algorithms == {"ES256", "EdDSA"}
    assert api.delete("issuers/clerk/").status_code == 204
    assert api.get("issuers/clerk/").status_code == 404
    assert read_issuers() == {}
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED, target="issuer:clerk").note == REASON["X-Reason"]


def test_what_was_read_may_be_sent_back_and_changes_nothing(api: Api, clerk: dict[str, Any]) -> None:
    events = Event.newest_first().count()
    assert api.patch("issuers/clerk/", clerk).json() == clerk
    assert Event.newest_first().count() == events


@pytest.mark.usefixtures("clerk")
@pytest.mark.parametrize("change", [{"enabled": False}, {"jwks_url": "https://x.example/"}, {"audience": "x"}])
def test_whom_to_trust_is_not_changed_without_a_reason(api: Api, change: dict[str, Any]) -> None:
    assert "X-Reason" in errors_of(api.patch("issuers/clerk/", change))
    assert "X-Reason" in errors_of(api.delete("issuers/clerk/", **{"X-Reason": ""}))


def test_a_disabled_one_is_not_in_the_snapshot(api: Api, clerk: dict[str, Any]) -> None:
    assert set(read_issuers()) == {clerk["issuer"]}
    assert api.patch("issuers/clerk/", {"enabled": False}, **REASON).status_code == 200
    assert read_issuers() == {}


@pytest.mark.parametrize("field", ["name", "issuer", "audience", "jwks_url"])
def test_what_is_needed_is_named(api: Api, field: str) -> None:
    body = {name: value for name, value in CLERK.items() if name != field}
    assert field in errors_of(api.post("issuers/", body))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "no spaces"),
        ("name", ""),
        ("issuer", "clerk.example.com"),
        ("issuer", "http://clerk.example.com"),
        ("issuer", "https://clerk.example.com/?x"),
        ("issuer", "https://clerk.example.com/#x"),
        ("issuer", "https://clerk example.com"),
        ("issuer", "https://clerk.example.com\x00"),
        ("issuer", "http://127.0.0.1:8000"),
        ("issuer", 7),
        ("audience", ""),
        ("audience", []),
        ("audience", [""]),
        ("audience", ["a", "a"]),
        ("audience", ["a", 7]),
        ("audience", " a"),
        ("audience", "a\x00"),
        ("audience", "a" * 501),
        ("audience", ["a"] * 51),
        ("audience", {"a": 1}),
        ("audience", None),
        ("jwks_url", "http://clerk.example.com/jwks.json"),
        ("jwks_url", "https://user@clerk.example.com/"),
        ("jwks_url", "https://169.254.169.254/"),
        ("jwks_url", "https://10.0.0.1/"),
        ("jwks_url", "https://127.1/"),
        ("jwks_url", "file:///etc/passwd"),
        ("jwks_url", "https://clerk.example.com/a/../b"),
        ("jwks_url", "https://clerk.example.com/?a b"),
        ("algorithms", []),
        ("algorithms", ["none"]),
        ("algorithms", ["HS256"]),
        ("algorithms", ["RS256", "RS256"]),
        ("algorithms", "RS256"),
        ("algorithms", None),
        ("claims", {"email": "email"}),
        ("claims", {"user": ""}),
        ("claims", {"user": 7}),
        ("claims", {"user": "a\x00"}),
        ("claims", {"user": "a" * 201}),
        ("claims", ["user"]),
        ("claims", None),
        ("enabled", "perhaps"),
        ("secret", "x"),
        ("keys", []),
    ],
)
def test_what_cannot_be_is_refused_by_field(api: Api, field: str, value: Any) -> None:
    errors = errors_of(api.post("issuers/", CLERK | {field: value}))
    assert {name.partition(".")[0] for name in errors} == {field}
    assert api.get("issuers/").json()["count"] == 0


def test_our_own_tokens_need_no_registration(api: Api, settings: Any) -> None:
    body = CLERK | {"issuer": settings.PUBLIC_BASE_URL, "allow_private": True}
    assert "issuer" in errors_of(api.post("issuers/", body))
    own_keys = CLERK | {"jwks_url": f"{settings.PUBLIC_BASE_URL}/.well-known/jwks.json", "allow_private": True}
    assert "jwks_url" in errors_of(api.post("issuers/", own_keys))


def test_two_of_one_name_or_one_iss_are_refused(api: Api, clerk: dict[str, Any]) -> None:
    assert "name" in errors_of(api.post("issuers/", CLERK | {"issuer": "https://other.example"}))
    assert "issuer" in errors_of(api.post("issuers/", CLERK | {"name": "other"}))
    assert "name" in errors_of(api.patch(f"issuers/{clerk['name']}/", {"name": "other"}))


@pytest.mark.usefixtures("clerk")
def test_who_may_only_look_changes_nothing() -> None:
    viewer = api_of("proxy.view_issuer")
    assert viewer.get("issuers/clerk/").status_code == 200
    assert viewer.post("issuers/", CLERK | {"name": "x"}).status_code == 403
    assert viewer.patch("issuers/clerk/", {"enabled": False}, **REASON).status_code == 403
    assert viewer.delete("issuers/clerk/").status_code == 403
    nobody = Api(signed_in(User.objects.create_user("lia", is_staff=True)))
    assert nobody.get("issuers/").status_code == 403


def test_an_internal_one_may_be_http(api: Api) -> None:
    body = CLERK | {
        "issuer": "http://idp:8080/realms/x",
        "jwks_url": "http://10.0.0.1:8080/keys",
        "allow_private": True,
    }
    assert api.made("issuers/", **body)["allow_private"] is True


def test_a_url_of_keys_may_have_a_query(api: Api) -> None:
    url = "https://login.example.com/common/discovery/v2.0/keys?appid=6731de76-14a6-49ae-97bc-6eba6914391e"
    assert api.made("issuers/", **(CLERK | {"jwks_url": url}))["jwks_url"] == url
