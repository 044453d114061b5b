"""API keys in the admin: shown once, disabled for good."""

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.api_keys.create import create_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import InvalidApiKey, verify_api_key
from oauth_provider.scopes.models import Scope
from tests.staff_browser import StaffBrowser, errors_of, last_event

LIST = "/admin/oauth_provider/apikey/"


@pytest.fixture(autouse=True)
def scope(db: None) -> Scope:
    """One permission."""
    del db
    return Scope.objects.create(name="tool:read", title="Read")


def test_a_key_is_shown_once_and_works(staff: StaffBrowser) -> None:
    answer = staff.fill(f"{LIST}add/", name="Nightly", scopes=["tool:read"])
    first = staff.open(answer.headers["Location"])
    value = first.content.decode().partition("gh-line--secret")[2].partition('value="')[2].partition('"')[0]
    assert verify_api_key(value).scopes == {"tool:read"}
    assert "no-store" in first.headers["Cache-Control"]
    assert value not in staff.text(answer.headers["Location"])
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert (event.target, event.actor != "") == (f"api_key:{ApiKey.objects.get().pk}", True)


@pytest.mark.parametrize(
    ("changes", "field"), [({"name": ""}, "name"), ({"name": "Taken"}, "name"), ({"name": "A\x00"}, "name"),
                           ({"name": "A", "scopes": ["nope"]}, "scopes")]
)  # fmt: skip
def test_what_cannot_be_is_refused_by_field(
    staff: StaffBrowser, changes: dict[str, str | list[str]], field: str
) -> None:
    create_api_key(name="Taken", scopes="", actor=None)
    assert field in errors_of(staff.fill(f"{LIST}add/", **changes))
    assert ApiKey.objects.count() == 1


def test_disabling_needs_a_reason_and_refuses_the_key(staff: StaffBrowser) -> None:
    value = create_api_key(name="Nightly", scopes="tool:read", actor=None)
    key = ApiKey.objects.get()
    assert errors_of(staff.fill(f"{LIST}{key.pk}/disable/", reason=""))
    staff.fill(f"{LIST}{key.pk}/disable/", reason="Leaked")
    with pytest.raises(InvalidApiKey):
        verify_api_key(value)
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).note == "Leaked"
    assert f"{LIST}{key.pk}/disable/" not in staff.text(f"{LIST}{key.pk}/change/")


def test_who_may_only_look_makes_and_disables_nothing(viewer: StaffBrowser) -> None:
    create_api_key(name="Nightly", scopes="", actor=None)
    key = ApiKey.objects.get()
    assert viewer.open(f"{LIST}{key.pk}/change/").status_code == 200
    assert viewer.open(f"{LIST}add/").status_code == viewer.open(f"{LIST}{key.pk}/key/").status_code == 403
    assert viewer.http.post(f"{LIST}{key.pk}/disable/", {"reason": "x"}).status_code == 403
    assert ApiKey.objects.get().revoked_at is None


@pytest.mark.parametrize("part", ["change", "key", "disable", "history", "delete"])
@pytest.mark.parametrize("pk", ["0", "x", "99999999999999999999"])
def test_a_key_that_does_not_exist_is_no_error(staff: StaffBrowser, part: str, pk: str) -> None:
    assert staff.open(f"{LIST}{pk}/{part}/").status_code in {302, 403, 404}
