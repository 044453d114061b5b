"""Connections in the admin: who lets which client act, and the button that ends it."""

import uuid
from collections.abc import Callable

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World
from tests.staff_browser import StaffBrowser, errors_of, last_event, make_staff

LIST = "/admin/oauth_provider/connection/"


def page(world: World, part: str = "change") -> str:
    """The address of a page of the world's connection."""
    return f"{LIST}{world.connection.pk}/{part}/"


def test_list_says_who_and_what(staff: StaffBrowser, world: World) -> None:
    text = staff.text(LIST)
    for expected in ("ana", world.client.name, "Live", "Never"):
        assert expected in text


@pytest.mark.parametrize(
    ("query", "found"),
    [({"q": "ana"}, True), ({"q": "nobody"}, False), ({"state": "live"}, True), ({"state": "revoked"}, False)],
)
def test_list_is_searched_and_narrowed(staff: StaffBrowser, world: World, query: dict[str, str], found: bool) -> None:
    assert (str(world.connection.pk) in staff.text(LIST, **query)) is found


def test_list_is_narrowed_by_client(staff: StaffBrowser, make_world: Callable[..., World]) -> None:
    first, second = make_world("ana"), make_world("bruno")
    text = staff.text(LIST, client__id__exact=str(second.client.pk))
    assert str(second.connection.pk) in text
    assert str(first.connection.pk) not in text


def test_detail_says_what_was_given_in_words(staff: StaffBrowser, world: World) -> None:
    text = staff.text(page(world))
    assert "tool:read" in text
    assert "client.example" in text


def test_revoking_needs_a_reason_and_kills_the_token(staff: StaffBrowser, world: World) -> None:
    token = world.pair()["access_token"]
    assert verify_access_token(token).scopes
    assert errors_of(staff.fill(page(world, "revoke"), reason=""))
    staff.fill(page(world, "revoke"), reason="Reported by the person")
    with pytest.raises(InvalidToken):
        verify_access_token(token)
    event = last_event(kind=Kind.OAUTH_CONNECTION_REVOKED)
    assert (event.reason, event.note, event.actor != "") == ("by_staff", "Reported by the person", True)
    text = staff.text(page(world))
    assert "Reported by the person" in text
    assert page(world, "revoke") not in text


def test_history_is_the_ledger(staff: StaffBrowser, world: World) -> None:
    assert staff.open(page(world, "history")).headers["Location"].endswith(f"?q={world.connection.pk}")


def test_who_may_only_look_revokes_nothing(viewer: StaffBrowser, world: World) -> None:
    assert page(world, "revoke") not in viewer.text(page(world))
    assert viewer.http.post(page(world, "revoke"), {"reason": "x"}).status_code == 403
    world.connection.refresh_from_db()
    assert world.connection.is_live


def test_support_revokes_without_seeing_anything_else(world: World) -> None:
    support = StaffBrowser(make_staff("sam", "oauth_provider.view_connection", "oauth_provider.change_connection"))
    assert support.fill(page(world, "revoke"), reason="Asked by phone").status_code == 302
    world.connection.refresh_from_db()
    assert not world.connection.is_live
    assert support.open("/admin/oauth_provider/client/").status_code == 403


@pytest.mark.parametrize("part", ["change", "delete"])
def test_nobody_edits_or_deletes_a_connection(staff: StaffBrowser, world: World, part: str) -> None:
    sent = {"post": "yes", "reason": "x", "scopes": "tool:write", "revoked_at_0": ""}
    assert staff.http.post(page(world, part), sent).status_code == 403


@pytest.mark.parametrize("pk", ["0", "x", str(uuid.UUID(int=0)), "%00", "'"])
@pytest.mark.parametrize("part", ["change", "revoke", "history"])
def test_a_connection_that_does_not_exist_is_no_error(staff: StaffBrowser, pk: str, part: str) -> None:
    assert staff.open(f"{LIST}{pk}/{part}/").status_code in {302, 400, 404}


@pytest.mark.parametrize(
    "query",
    [
        "client__id__exact=x",
        "client__id__exact=99999999999999999999",
        "state=%00",
        "user__password__startswith=a",
        "q=%ff",
    ],
)
def test_no_query_breaks_the_list(staff: StaffBrowser, world: World, query: str) -> None:
    assert staff.open(f"{LIST}?{query}").status_code in {200, 302, 400}
