"""People and roles in the admin."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from audit.ledger.kinds import Kind
from oauth_provider.identities.models import Identity
from oauth_provider.revisions.read import read_all
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World
from tests.staff_browser import StaffBrowser, errors_of, last_event, make_staff

LIST = "/admin/auth/user/"
ROLES = "/admin/auth/group/"
PASSWORD = "a long and unlikely one"


@pytest.fixture
def ana(db: None) -> User:
    """A person."""
    del db
    user = User.objects.create_user("ana", password=PASSWORD)
    Identity.objects.create(user=user, external_id="user_2abc")
    return user


@pytest.fixture
def manager(db: None) -> StaffBrowser:
    """Staff who keep people's accounts, without being superusers."""
    del db
    return StaffBrowser(make_staff("max", "auth.view_user", "auth.add_user", "auth.change_user"))


def page(user: User, part: str = "change") -> str:
    """The address of a page of `user`."""
    return f"{LIST}{user.pk}/{part}/"


def test_a_person_is_added_with_an_external_id(staff: StaffBrowser) -> None:
    values = {"username": "bruno", "external_id": "user_2def", "password1": PASSWORD, "password2": PASSWORD}
    staff.fill(f"{LIST}add/", **values)
    assert User.objects.get(username="bruno").identity.external_id == "user_2def"
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert (event.target, event.subject != "") == ("user", True)


@pytest.mark.parametrize("external_id", ["user_2abc", "with space", "new\nline", "é", "a\x00", "x" * 201])
def test_an_external_id_that_no_header_carries_or_another_has_is_refused(
    staff: StaffBrowser, ana: User, external_id: str
) -> None:
    bruno = User.objects.create_user("bruno")
    assert "external_id" in errors_of(staff.fill(page(bruno), external_id=external_id, reason="x"))


def test_another_external_id_needs_a_reason_and_is_announced(staff: StaffBrowser, ana: User) -> None:
    assert list(errors_of(staff.fill(page(ana), external_id="user_new"))) == ["reason"]
    before = read_all().get("revocation", 0)
    staff.fill(page(ana), external_id="user_new", reason="Accounts merged")
    assert Identity.objects.get(user=ana).external_id == "user_new"
    assert read_all()["revocation"] > before
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["external_id"]


def test_an_address_is_verified_by_saying_so_with_a_reason(staff: StaffBrowser, ana: User) -> None:
    assert Identity.objects.get(user=ana).email_verified is False
    staff.fill(page(ana), email="ana@example.com")
    assert list(errors_of(staff.fill(page(ana), email_verified="on"))) == ["reason"]
    staff.fill(page(ana), email_verified="on", reason="Her contract names it")
    assert Identity.objects.get(user=ana).email_verified is True
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["email_verified"]


def test_another_address_is_not_verified_until_that_is_said_again(staff: StaffBrowser, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(email="ana@example.com")
    Identity.objects.filter(user=ana).update(email_verified=True)
    staff.fill(page(ana), email="other@example.com", email_verified="on", reason="She moved")
    assert Identity.objects.get(user=ana).email_verified is False
    staff.fill(page(ana), email_verified="on", reason="She confirmed it")
    assert Identity.objects.get(user=ana).email_verified is True


def test_deactivating_kills_what_acts_for_the_person_until_they_are_reactivated(
    staff: StaffBrowser, world: World
) -> None:
    token = world.pair()["access_token"]
    person = world.connection.user
    assert errors_of(staff.fill(page(person, "deactivate"), reason=""))
    before = read_all().get("revocation", 0)
    staff.fill(page(person, "deactivate"), reason="Left the platform")
    assert read_all()["revocation"] > before
    with pytest.raises(InvalidToken):
        verify_access_token(token)
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.fields, event.note) == (["is_active"], "Left the platform")
    staff.fill(page(person, "reactivate"), reason="Came back")
    assert verify_access_token(token).scopes


def test_a_new_password_is_recorded_not_shown(staff: StaffBrowser, ana: User) -> None:
    staff.fill(page(ana, "password"), password1="another unlikely one", password2="another unlikely one")
    ana.refresh_from_db()
    assert ana.check_password("another unlikely one")
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.target, event.fields) == ("user", ["password"])


def test_a_refused_password_changes_and_records_nothing(staff: StaffBrowser, ana: User) -> None:
    staff.fill(page(ana, "password"), password1="123", password2="123")
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


def test_a_person_becomes_staff_only_with_a_reason(staff: StaffBrowser, ana: User) -> None:
    assert list(errors_of(staff.fill(page(ana), is_staff="on"))) == ["reason"]
    staff.fill(page(ana), is_staff="on", reason="Joined support")
    ana.refresh_from_db()
    assert ana.is_staff


def test_nobody_deactivates_themselves(staff: StaffBrowser) -> None:
    assert page(staff.user, "deactivate") not in staff.text(page(staff.user))
    assert staff.http.post(page(staff.user, "deactivate"), {"reason": "x"}).status_code == 403
    staff.user.refresh_from_db()
    assert staff.user.is_active


def test_only_superusers_make_staff(manager: StaffBrowser, ana: User) -> None:
    values = manager.form(page(ana), "email").values
    manager.http.post(page(ana), values | {"email": ["ana@example.org"], "is_staff": ["on"], "is_superuser": ["on"]})
    ana.refresh_from_db()
    assert ana.email == "ana@example.org"
    assert not ana.is_staff
    assert not ana.is_superuser


@pytest.mark.parametrize("part", ["change", "password", "deactivate"])
def test_only_superusers_touch_staff(manager: StaffBrowser, staff: StaffBrowser, part: str) -> None:
    sent = {"reason": "x", "password1": PASSWORD, "password2": PASSWORD, "username": "maria"}
    assert manager.http.post(page(staff.user, part), sent).status_code == 403
    staff.user.refresh_from_db()
    assert staff.user.is_active
    assert not staff.user.check_password(PASSWORD)


def test_who_may_only_look_changes_nobody(viewer: StaffBrowser, ana: User) -> None:
    assert viewer.open(page(ana)).status_code == 200
    for part in ("change", "password", "deactivate", "reactivate"):
        assert viewer.http.post(page(ana, part), {"reason": "x"}).status_code == 403


def test_a_role_gives_exactly_what_is_ticked(staff: StaffBrowser) -> None:
    see = Permission.objects.get(codename="view_client")
    staff.fill(f"{ROLES}add/", name="Support", permissions=[str(see.pk)])
    role = Group.objects.get(name="Support")
    assert list(role.permissions.all()) == [see]
    assert last_event(kind=Kind.ADMIN_OBJECT_ADDED).target == "role:Support"


def test_a_role_changes_only_with_a_reason(staff: StaffBrowser) -> None:
    role = Group.objects.create(name="Support")
    see = str(Permission.objects.get(codename="view_client").pk)
    address = f"{ROLES}{role.pk}/change/"
    assert list(errors_of(staff.fill(address, permissions=[see]))) == ["reason"]
    staff.fill(address, permissions=[see], reason="They asked")
    assert role.permissions.count() == 1


def test_permissions_that_no_page_asks_for_are_not_offered(staff: StaffBrowser) -> None:
    other = Permission.objects.get(codename="delete_accesstoken")
    assert "permissions" in errors_of(staff.fill(f"{ROLES}add/", name="Odd", permissions=[str(other.pk)]))


def test_roles_are_for_superusers(manager: StaffBrowser) -> None:
    assert manager.open(ROLES).status_code == manager.open(f"{ROLES}add/").status_code == 403


@pytest.mark.parametrize("part", ["change", "password", "deactivate", "reactivate", "history", "delete"])
@pytest.mark.parametrize("pk", ["0", "x", "99999999999999999999"])
def test_a_person_who_does_not_exist_is_no_error(staff: StaffBrowser, part: str, pk: str) -> None:
    assert staff.open(f"{LIST}{pk}/{part}/").status_code in {302, 403, 404}


@pytest.mark.parametrize(
    "query", ["is_staff__exact=x", "password__startswith=a", "password=x", "q=%00", "groups__name__regex=["]
)
def test_no_query_breaks_the_list(staff: StaffBrowser, ana: User, query: str) -> None:
    assert staff.open(f"{LIST}?{query}").status_code in {200, 302, 400}
