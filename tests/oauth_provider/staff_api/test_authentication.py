"""Who gets in, by which credential, and who does not."""

import base64
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from audit.ledger.kinds import Kind
from oauth_provider.staff_tokens.create import create_staff_token
from oauth_provider.staff_tokens.models import StaffToken
from tests.management_api import REASON, Api, api_of, errors_of, signed_in
from tests.staff_browser import last_event, make_staff

PASSWORD = "for tests only"


def basic(username: str, password: str) -> Api:
    """A program with a user name and a password."""
    encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Api(Client(), {"Authorization": f"Basic {encoded}"})


def bearer(value: str) -> Api:
    """A program with a staff token."""
    return Api(Client(), {"Authorization": f"Bearer {value}"})


def token_of(user: User, *scopes: str, days: float = 1) -> str:
    """The value of a new staff token."""
    ends = timezone.now() + timedelta(days=days)
    return create_staff_token(user=user, name="nightly", scopes=scopes, expires_at=ends).value


@pytest.fixture
def maria(db: None) -> User:
    """A superuser."""
    del db
    return User.objects.create_superuser("maria", password=PASSWORD)


@pytest.mark.django_db
def test_nobody_gets_in_without_a_credential() -> None:
    answer = Api(Client()).get("backends/")
    errors_of(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert "Basic " in answer.headers["WWW-Authenticate"]


@pytest.mark.usefixtures("maria")
def test_a_member_of_staff_gets_in_by_basic() -> None:
    assert basic("maria", PASSWORD).get("backends/").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"), [("maria", "wrong"), ("nobody", PASSWORD), ("ma\0ria", PASSWORD), ("maria", "x" * 5000)]
)
@pytest.mark.usefixtures("maria")
def test_a_wrong_password_does_not(username: str, password: str) -> None:
    errors_of(basic(username, password).get("backends/"), 401)


@pytest.mark.parametrize("value", ["Basic", "Basic !!", "Basic YQ==", "Bearer", "Bearer gh_st_none", "Bearer gh_at_x"])
@pytest.mark.django_db
def test_a_malformed_credential_does_not(value: str) -> None:
    errors_of(Api(Client(), {"Authorization": value}).get("backends/"), 401)


@pytest.mark.usefixtures("maria")
def test_a_failure_is_recorded_and_an_account_is_locked_after_five() -> None:
    for _attempt in range(5):
        basic("maria", "wrong").get("backends/")
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED).decision == "deny"
    locked = basic("maria", PASSWORD).get("backends/")
    errors_of(locked, 429)
    assert int(locked.headers["Retry-After"]) > 0


def test_an_address_that_fails_too_often_is_not_heard(maria: User, settings: Any) -> None:
    settings.OAUTH_RATES = settings.OAUTH_RATES | {"signin": "3/m"}
    for attempt in range(4):
        basic(f"guess{attempt}", "wrong").get("backends/")
    errors_of(basic("maria", PASSWORD).get("backends/"), 429)
    assert maria.is_active


@pytest.mark.usefixtures("maria")
def test_nobody_is_let_guess_while_nothing_can_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_args: object, **_kwargs: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("oauth_provider.throttle.get_usage", unreachable)
    errors_of(basic("maria", PASSWORD).get("backends/"), 503)


def test_a_password_is_hashed_once_a_minute_and_forgotten_when_it_changes(
    maria: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = basic("maria", PASSWORD)
    assert program.get("backends/").status_code == 200
    monkeypatch.setattr("oauth_provider.staff_api.authentication.authenticate", None)
    assert program.get("backends/").status_code == 200
    monkeypatch.undo()
    maria.set_password("another one for tests")
    maria.save()
    errors_of(program.get("backends/"), 401)


def test_a_person_who_is_not_staff_is_refused_by_every_road(db: None) -> None:
    del db
    ana = User.objects.create_user("ana", password=PASSWORD)
    for program in (basic("ana", PASSWORD), bearer(token_of(ana, "backends:read")), Api(signed_in(ana))):
        errors_of(program.get("backends/"), 403)
        errors_of(program.get("schema/"), 403)


def test_a_session_needs_the_csrf_token_to_change_something(maria: User) -> None:
    program = Api(signed_in(maria, csrf=True))
    assert program.get("backends/").status_code == 200
    body = {"name": "jobs:read", "title": "Jobs"}
    errors_of(program.post("scopes/", body), 403)
    program.http.get("/accounts/login/")
    token = program.http.cookies["csrf"].value
    assert program.post("scopes/", body, **{"X-CSRFToken": token}).status_code == 201


def test_a_staff_token_does_what_its_scopes_say(maria: User) -> None:
    program = bearer(token_of(maria, "scopes:read", "clients:write"))
    assert program.get("scopes/").status_code == 200
    errors_of(program.post("scopes/", {"name": "a", "title": "A"}), 403)
    assert program.get("clients/").status_code == 200
    errors_of(program.get("backends/"), 403)
    errors_of(program.get("audit/events/"), 403)
    assert StaffToken.objects.get().last_used_at is not None


def test_a_staff_token_needs_no_csrf_token(maria: User) -> None:
    http = Client(enforce_csrf_checks=True)
    program = Api(http, {"Authorization": f"Bearer {token_of(maria, 'scopes:write')}"})
    assert program.post("scopes/", {"name": "a", "title": "A"}).status_code == 201
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED, target="scope:a").actor


def test_a_staff_token_never_does_more_than_its_person(db: None) -> None:
    del db
    sam = make_staff("sam", "oauth_provider.view_scope")
    program = bearer(token_of(sam, "scopes:write"))
    assert program.get("scopes/").status_code == 200
    errors_of(program.post("scopes/", {"name": "a", "title": "A"}), 403)


@pytest.mark.parametrize("end", ["revoked", "expired", "person gone"])
def test_a_dead_staff_token_is_refused(maria: User, end: str) -> None:
    program = bearer(token_of(maria, "scopes:read", days=-1 if end == "expired" else 1))
    if end == "revoked":
        StaffToken.objects.update(revoked_at=timezone.now())
    if end == "person gone":
        User.objects.update(is_active=False)
    errors_of(program.get("scopes/"), 401)


RESOURCES = [
    ("backends/", "proxy.view_backend"),
    ("operations/", "proxy.view_operation"),
    ("scopes/", "oauth_provider.view_scope"),
    ("resources/", "oauth_provider.view_resource"),
    ("clients/", "oauth_provider.view_client"),
    ("registration-policy/", "oauth_provider.view_registrationpolicy"),
    ("listed-clients/", "oauth_provider.view_listedclient"),
    ("invitations/", "oauth_provider.view_initialaccesstoken"),
    ("users/", "auth.view_user"),
    ("connections/", "oauth_provider.view_connection"),
    ("api-keys/", "oauth_provider.view_apikey"),
    ("audit/events/", "audit.view_event"),
]


@pytest.mark.parametrize(("path", "permission"), RESOURCES)
@pytest.mark.django_db
def test_each_resource_is_read_with_its_own_permission(path: str, permission: str) -> None:
    program = api_of(permission)
    assert program.get(path).status_code == 200
    for other, _permission in RESOURCES:
        if other != path:
            errors_of(program.get(other), 403)
    assert program.post(path, {}).status_code in {403, 405}


@pytest.mark.django_db
def test_to_see_clients_is_not_to_stop_them() -> None:
    program = api_of("oauth_provider.view_client", "oauth_provider.add_client")
    for act in ("suspend", "resume", "revoke", "secrets"):
        errors_of(program.post(f"clients/any/{act}/", **REASON), 403)
