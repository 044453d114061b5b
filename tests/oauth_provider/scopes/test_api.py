"""Permissions over the management API."""

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope
from tests.management_api import REASON, Api, errors_of
from tests.staff_browser import last_event


def test_a_scope_has_the_documented_defaults_and_is_known_by_its_name(api: Api) -> None:
    made = api.made("scopes/", name="a/b:read", title="Read")
    assert made == {
        "name": "a/b:read",
        "title": "Read",
        "description": "",
        "translations": {},
        "sensitivity": "normal",
        "self_registration": False,
        "enabled": True,
    }
    assert api.get("scopes/a/b:read/").json() == made
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED, target="scope:a/b:read").actor


def test_words_are_kept_per_language(api: Api) -> None:
    words = {"pt-BR": {"title": "Ler", "description": "Lê vagas."}}
    api.made("scopes/", name="jobs:read", title="Read", translations=words)
    assert Scope.objects.get().words("title", "pt-br") == "Ler"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Jobs Read"),
        ("title", ""),
        ("sensitivity", "huge"),
        ("translations", {"portuguese language": {}}),
        ("translations", {"pt": {"title": "x"}, "PT": {"title": "y"}}),
        ("translations.pt.subtitle", {"pt": {"subtitle": "x"}}),
        ("translations", []),
        ("enabled", "perhaps"),
    ],
)
def test_what_cannot_be_is_refused_by_field(api: Api, field: str, value: object) -> None:
    body = {"name": "jobs:read", "title": "Read"} | {field.partition(".")[0]: value}
    assert field in errors_of(api.post("scopes/", body))


def test_opening_a_permission_to_clients_that_register_themselves_needs_a_reason(api: Api) -> None:
    api.made("scopes/", name="a", title="A")
    assert api.patch("scopes/a/", {"self_registration": True}).status_code == 400
    assert api.patch("scopes/a/", {"self_registration": True}, **REASON).json()["self_registration"] is True


def test_a_list_makes_all_or_none(api: Api) -> None:
    answer = api.post("scopes/", [{"name": "a", "title": "A"}, {"name": "a", "title": "A"}])
    assert "1.name" in errors_of(answer)
    assert not Scope.objects.exists()
    assert api.post("scopes/", [{"name": "a", "title": "A"}, {"name": "b", "title": "B"}]).status_code == 201


def test_disabling_reaches_tokens_and_catalogue(api: Api) -> None:
    api.made("scopes/", name="a", title="A")
    before = read_all()
    assert api.patch("scopes/a/", {"enabled": False}, **REASON).status_code == 200
    after = read_all()
    assert after["revocation"] > before["revocation"]
    assert after["catalogue"] > before["catalogue"]


def test_a_scope_in_use_is_not_deleted(api: Api) -> None:
    api.made("scopes/", name="a", title="A")
    made = api.made("clients/", name="Nightly", preset="service", scopes=["a"])
    errors_of(api.delete("scopes/a/"), 409)
    assert api.delete(f"clients/{made['client_id']}/").status_code == 204
    assert api.delete("scopes/a/").status_code == 204
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED, target="scope:a").note == REASON["X-Reason"]
