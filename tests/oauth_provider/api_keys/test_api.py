"""API keys over the management API."""

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.api_keys.verify import InvalidApiKey, verify_api_key
from oauth_provider.scopes.models import Scope
from tests.management_api import REASON, Api, errors_of
from tests.staff_browser import last_event


@pytest.fixture(autouse=True)
def scope(db: None) -> None:
    """One permission."""
    del db
    Scope.objects.create(name="jobs:read", title="Read")


def test_the_secret_is_in_the_first_answer_alone(api: Api) -> None:
    made = api.made("api-keys/", name="cron", scopes=["jobs:read"])
    secret = made.pop("secret")
    assert verify_api_key(secret).scopes == {"jobs:read"}
    assert api.get(f"api-keys/{made['id']}/").json() == made
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == f"api_key:{made['id']}"


def test_a_key_ends_when_it_says(api: Api) -> None:
    made = api.made("api-keys/", name="cron", expires_at="2020-01-01T00:00:00Z")
    assert made["expires_at"] == "2020-01-01T00:00:00Z"
    with pytest.raises(InvalidApiKey, match="expired"):
        verify_api_key(made["secret"])
    assert api.patch(f"api-keys/{made['id']}/", {"expires_at": None}).json()["expires_at"] is None
    assert verify_api_key(made["secret"]).name == "cron"


def test_a_deleted_key_opens_nothing_and_gives_its_name_back(api: Api) -> None:
    made = api.made("api-keys/", name="cron")
    assert "name" in errors_of(api.post("api-keys/", {"name": "cron"}))
    assert "X-Reason" in errors_of(api.delete(f"api-keys/{made['id']}/", **{"X-Reason": ""}))
    assert api.delete(f"api-keys/{made['id']}/").status_code == 204
    assert api.get(f"api-keys/{made['id']}/").status_code == 404
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).note == REASON["X-Reason"]
    again = api.made("api-keys/", name="cron")
    assert verify_api_key(again["secret"]).name == "cron"
    with pytest.raises(InvalidApiKey):
        verify_api_key(made["secret"])


@pytest.mark.parametrize(("field", "value"), [("scopes", ["none"]), ("name", ""), ("expires_at", "soon"), ("key", "x")])
def test_what_cannot_be_is_refused_by_field(api: Api, field: str, value: object) -> None:
    assert field in errors_of(api.post("api-keys/", {"name": "cron"} | {field: value}))
