"""Staff tokens in the admin: made for oneself, shown once, revoked for good."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.ledger.kinds import Kind
from oauth_provider.staff_tokens.create import create_staff_token
from oauth_provider.staff_tokens.models import StaffToken
from oauth_provider.staff_tokens.verify import verify_staff_token
from tests.staff_browser import StaffBrowser, errors_of, last_event, make_staff

LIST = "/admin/oauth_provider/stafftoken/"
MINE = ["view_stafftoken", "add_stafftoken", "change_stafftoken"]


@pytest.fixture
def sam(db: None) -> StaffBrowser:
    """Somebody who may only make tokens."""
    del db
    return StaffBrowser(make_staff("sam", *(f"oauth_provider.{name}" for name in MINE)))


def add(staff: StaffBrowser, **changes: Any) -> Any:
    """Make a token on the page."""
    return staff.fill(f"{LIST}add/", **({"name": "nightly", "scopes": ["clients:read"], "days": "30"} | changes))


def test_the_token_is_shown_once(sam: StaffBrowser) -> None:
    answer = add(sam)
    page = sam.open(answer.headers["Location"])
    assert "no-store" in page.headers["Cache-Control"]
    value = page.content.decode().partition('value="gh_st_')[2].partition('"')[0]
    token = verify_staff_token(f"gh_st_{value}")
    assert token is not None
    assert (token.user, token.scopes) == (sam.user, "clients:read")
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    assert value not in sam.text(answer.headers["Location"])
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == f"staff_token:{token.pk}"


@pytest.mark.parametrize(("field", "value"), [("scopes", []), ("days", "0"), ("days", "367"), ("name", "")], ids=str)
def test_a_token_needs_a_name_an_end_and_something_to_do(sam: StaffBrowser, field: str, value: Any) -> None:
    assert field in errors_of(add(sam, **{field: value}))
    assert not StaffToken.objects.exists()


def test_a_revoked_token_is_refused(sam: StaffBrowser) -> None:
    ends = timezone.now() + timedelta(days=1)
    made = create_staff_token(user=sam.user, name="nightly", scopes=["clients:read"], expires_at=ends)
    assert verify_staff_token(made.value)
    sam.fill(f"{LIST}{made.token.pk}/revoke/", reason="lost")
    assert verify_staff_token(made.value) is None
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).note == "lost"


def test_everybody_sees_their_own_and_superusers_see_all(sam: StaffBrowser, staff: StaffBrowser) -> None:
    ends = timezone.now() + timedelta(days=1)
    for user in (sam.user, staff.user):
        create_staff_token(user=user, name=f"of-{user.username}", scopes=["clients:read"], expires_at=ends)
    assert "of-maria" not in sam.text(LIST)
    assert "of-sam" in staff.text(LIST)
    marias = StaffToken.objects.get(name="of-maria").pk
    for page in ("change", "token", "revoke"):
        assert sam.open(f"{LIST}{marias}/{page}/").status_code in {302, 404}
