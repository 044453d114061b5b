"""What becomes of a person here when something becomes of her there."""

import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import Settings

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.connections.models import Connection
from oauth_provider.identities.deactivate import deactivate_user, reactivate_user
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity
from oauth_provider.revisions.read import read_all
from oauth_provider.staff_tokens.create import create_staff_token
from tests.agreed import World, opens
from tests.at_once import at_once
from tests.oauth_provider.webhooks.identity.sender import Sender, clerk_emails
from tests.staff_browser import last_event, make_staff

SUBJECT = "user_2clerk"


@pytest.fixture
def person(world: World) -> User:
    """Whose backends know her by the subject."""
    user: User = world.connection.user
    Identity.objects.update_or_create(user=user, defaults={"external_id": SUBJECT})
    return User.objects.get(pk=user.pk)


def is_active(person: User) -> bool:
    """As stored."""
    return User.objects.get(pk=person.pk).is_active


@pytest.mark.parametrize("kind", ["user.deleted", "user.banned", "user.locked", "user.suspended"])
def test_whoever_is_gone_there_is_stopped_here(sender: Sender, world: World, person: User, kind: str) -> None:
    pair = world.pair()
    before = read_all().get("revocation", 0)
    assert sender.send(kind, id=SUBJECT).status_code == 204
    assert not is_active(person)
    assert not opens(pair["access_token"])
    assert read_all()["revocation"] > before
    assert world.refresh(pair["refresh_token"]).status_code == 400
    connection = Connection.objects.get()
    assert (connection.revoked_by, connection.is_live) == ("provider", False)
    event = last_event(kind=Kind.OAUTH_CONNECTION_REVOKED)
    assert (event.reason, event.actor) == ("by_provider", "")
    assert last_event(kind=Kind.WEBHOOK_MESSAGE_TAKEN).reason == kind.replace(".", "_")
    assert last_event(kind=Kind.ACCOUNT_IDENTITY_CHANGED).fields == ["is_active"]


def test_open_sessions_end_and_stay_ended(sender: Sender, person: User) -> None:
    person.set_unusable_password()
    person.save()
    browser = Browser()
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/connected-apps/").status_code == 200
    sender.send("user.banned", id=SUBJECT)
    assert browser.get("/connected-apps/").status_code == 302
    sender.send("user.unbanned", id=SUBJECT)
    assert browser.get("/connected-apps/").status_code == 302


def test_staff_tokens_end_with_the_person(sender: Sender, db: None) -> None:
    sam = make_staff("sam")
    Identity.objects.create(user=sam, external_id=SUBJECT)
    made = create_staff_token(user=sam, name="x", scopes=["clients:read"], expires_at=timezone.now() + timedelta(1))
    sender.send("user.banned", id=SUBJECT)
    made.token.refresh_from_db()
    assert made.token.revoked_at is not None


def test_unbanned_she_may_sign_in_again_but_what_she_gave_stays_ended(
    sender: Sender, world: World, person: User
) -> None:
    pair = world.pair()
    sender.send("user.banned", id=SUBJECT)
    sender.send("user.unbanned", id=SUBJECT)
    assert is_active(person)
    assert not opens(pair["access_token"])
    assert not Connection.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("kind", ["user.unbanned", "user.updated"])
def test_whom_staff_deactivated_stays_out(sender: Sender, person: User, kind: str) -> None:
    sam = user_ref(make_staff("sam"))
    deactivate_user(user=person, actor=sam, reason="x")
    sender.send(kind, id=SUBJECT, banned=False, locked=False)
    assert not is_active(person)
    # Banned there as well, and staff let her in again: then nobody there has anything to give back
    reactivate_user(user=person, actor=sam, reason="x")
    sender.send("user.banned", id=SUBJECT)
    reactivate_user(user=User.objects.get(pk=person.pk), actor=sam, reason="x")
    deactivate_user(user=User.objects.get(pk=person.pk), actor=sam, reason="x")
    sender.send("user.unbanned", id=SUBJECT)
    assert not is_active(person)


def test_deleted_is_final(sender: Sender, person: User) -> None:
    sender.send("user.deleted", id=SUBJECT)
    for kind in ("user.unbanned", "user.updated"):
        sender.send(kind, id=SUBJECT, banned=False)
        assert not is_active(person)
        assert last_event(kind=Kind.WEBHOOK_MESSAGE_IGNORED).reason == "already_deleted"
    # The account and its events stay for staff to look at, or to delete
    assert User.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize(
    ("data", "is_stopped"),
    [({"banned": True}, True), ({"locked": True}, True), ({"banned": False, "locked": True}, True), ({}, False)],
)
def test_clerk_says_it_in_an_update(sender: Sender, person: User, data: dict[str, Any], is_stopped: bool) -> None:
    sender.send("user.updated", id=SUBJECT, **data, **clerk_emails("maria@acme.example"))
    assert is_active(person) is not is_stopped
    sender.send("user.updated", id=SUBJECT, banned=False, locked=False)
    assert is_active(person)


@pytest.mark.parametrize(
    ("data", "email", "is_verified"),
    [
        (clerk_emails("new@acme.example"), "new@acme.example", True),
        (clerk_emails("new@acme.example", status="unverified"), "new@acme.example", False),
        ({"email": "new@acme.example", "email_verified": True}, "new@acme.example", True),
        ({"email": "new@acme.example", "email_verified": "yes"}, "new@acme.example", False),
        ({"email": "no address"}, "old@example.com", True),
        ({"email_addresses": [], "primary_email_address_id": None}, "old@example.com", True),
        ({"email_addresses": ["x", None], "primary_email_address_id": "x"}, "old@example.com", True),
        ({}, "old@example.com", True),
    ],
)
def test_the_address_follows(sender: Sender, person: User, data: dict[str, Any], email: str, is_verified: bool) -> None:
    User.objects.filter(pk=person.pk).update(email="old@example.com")
    Identity.objects.filter(user=person).update(email_verified=True)
    assert sender.send("user.updated", id=SUBJECT, **data).status_code == 204
    found = User.objects.get(pk=person.pk)
    assert (found.email, found.identity.email_verified) == (email, is_verified)
    assert "acme" not in "".join(str(event.__dict__) for event in Event.objects.all())


def test_of_two_messages_that_overtake_each_other_the_later_one_counts(sender: Sender, person: User) -> None:
    now = time.time()
    sender.send("user.unbanned", id=SUBJECT, said_at=now)
    sender.send("user.banned", id=SUBJECT, said_at=now - 5)
    assert is_active(person)
    assert last_event(kind=Kind.WEBHOOK_MESSAGE_IGNORED).reason == "older_than_the_last"
    sender.send("user.banned", id=SUBJECT, said_at=now + 5)
    assert not is_active(person)
    # A deletion is never too old
    sender.send("user.deleted", id=SUBJECT, said_at=now - 60)
    assert Identity.objects.get(user=person).stopped == "deleted"


def test_the_link_decides_before_the_external_id(sender: Sender, person: User, settings: Settings) -> None:
    settings.SIGN_IN_ISSUER = "https://login.example"
    other = User.objects.create_user("other")
    SocialAccount.objects.create(user=other, provider="https://login.example", uid=SUBJECT)
    sender.send("user.deleted", id=SUBJECT)
    assert (is_active(other), is_active(person)) == (False, True)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("session.created", {"id": SUBJECT}, "unknown_kind"),
        ("user.created", {"id": SUBJECT}, "unknown_kind"),
        ("x" * 5000, {"id": SUBJECT}, "unknown_kind"),
        ("user.deleted", {"id": "user_nobody"}, "unknown_person"),
        ("user.deleted", {"id": ["a"]}, "unknown_person"),
        ("user.deleted", {"id": "a\x00b"}, "unknown_person"),
        ("user.deleted", {}, "unknown_person"),
    ],
)
def test_what_concerns_nobody_here_is_answered_the_same(
    sender: Sender, person: User, kind: str, data: dict[str, Any], reason: str
) -> None:
    answer = sender.send(kind, **data)
    assert (answer.status_code, answer.content) == (204, b"")
    assert is_active(person)
    assert last_event(kind=Kind.WEBHOOK_MESSAGE_IGNORED).reason == reason


@pytest.mark.parametrize("said_at", ["x", -1, 10**30, True, None, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", [1]])
def test_a_moment_of_any_shape_breaks_nothing(sender: Sender, person: User, said_at: object) -> None:
    body = f'{{"type": "user.banned", "data": {{"id": "{SUBJECT}"}}, "timestamp": {_json(said_at)}}}'.encode()
    assert sender.post(body, sender.headers(body)).status_code == 204
    assert not is_active(person)


def _json(value: object) -> str:
    return {True: "true", None: "null"}.get(value, str(value)) if not isinstance(value, str | list) else f'"{value}"'  # type: ignore[call-overload]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_the_same_message_from_many_sides_at_once_counts_once(sender: Sender, world: World, person: User) -> None:
    world.pair()
    body = f'{{"type": "user.deleted", "data": {{"id": "{SUBJECT}"}}}}'.encode()
    headers = sender.headers(body)
    senders = [Sender(sender.secret) for _ in range(8)]
    answers = at_once([partial(status, each, body, headers) for each in senders])
    assert answers == [204] * 8
    assert Event.objects.filter(kind=Kind.OAUTH_CONNECTION_REVOKED).count() == 1
    assert Event.objects.filter(kind=Kind.WEBHOOK_MESSAGE_TAKEN).count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_different_messages_about_her_at_once_all_count(sender: Sender, world: World, person: User) -> None:
    world.pair()
    kinds = ["user.banned", "user.updated", "user.deleted", "user.locked", "user.unbanned"] * 2
    answers = at_once([partial(send, Sender(sender.secret), kind) for kind in kinds])
    assert answers == [204] * len(kinds)
    assert not is_active(person)
    assert Identity.objects.get(user=person).stopped == "deleted"


def status(sender: Sender, body: bytes, headers: dict[str, str]) -> int:
    """Of the answer."""
    return int(sender.post(body, headers).status_code)


def send(sender: Sender, kind: str) -> int:
    """Its status."""
    return int(sender.send(kind, id=SUBJECT).status_code)
