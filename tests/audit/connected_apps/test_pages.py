"""What people see of what acts for them, and how they stop it: rows J01 to J10 of the attack tables, and E10."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_grant_model, get_refresh_token_model

from audit.ledger.events import UserRef
from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event
from audit.ledger.record import record
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.suspend import suspend_client
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope, Sensitivity
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from proxy.catalogue.models import Backend, Operation
from tests.agreed import World

LIST = "/connected-apps/"
Worlds = Callable[..., World]


@dataclass
class Person:
    """Somebody who is signed in."""

    browser: Browser
    user: User

    def open(self, path: str, **headers: str) -> Any:
        """GET a page."""
        return self.browser.get(path, headers=headers)

    def read(self, path: str, **headers: str) -> str:
        """The text of a page, without its tags and with single spaces."""
        answer = self.open(path, **headers)
        assert answer.status_code == 200
        return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def signed_in(user: User, **options: Any) -> Person:
    browser = Browser(**options)
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return Person(browser, user)


def page_of(connection: Connection, rest: str = "") -> str:
    return f"{LIST}{connection.pk}/{rest}"


@pytest.fixture
def ana(world: World) -> Person:
    """The person the connection of `world` belongs to."""
    world.client.name = "Career Copilot"
    world.client.save()
    return signed_in(world.connection.user)


@pytest.fixture
def bruno(django_user_model: type[User]) -> Person:
    """Somebody else."""
    return signed_in(django_user_model.objects.create(username="bruno"))


@pytest.fixture
def staff(django_user_model: type[User]) -> Person:
    """A superuser."""
    return signed_in(django_user_model.objects.create_superuser(username="boss", password="x"))


def call(world: World, **fields: Any) -> None:
    """An event of a call on the connection."""
    user = UserRef(world.connection.user_id, "user_2abc")
    defaults: dict[str, Any] = {"kind": Kind.PROXY_CALL_DECIDED, "connection": str(world.connection.pk), "user": user}
    record(**(defaults | fields))


# What a person sees


def test_the_list_says_who_may_do_what_and_when_it_last_did(world: World, ana: Person) -> None:
    Scope.objects.filter(name="tool:write").update(title="Change things for you", sensitivity=Sensitivity.WRITE)
    call(world)
    text = ana.read(LIST)
    assert "Career Copilot" in text
    assert "Can do for you Change things for you Can see tool:read Last used just now Returns to client.example" in text


def test_staying_connected_is_nothing_one_sees(world: World, ana: Person) -> None:
    Scope.objects.update_or_create(name="offline_access", defaults={"title": "Stay connected"})
    Connection.objects.update(scopes="tool:read offline_access")
    assert "Can see tool:read While you are away Stay connected Last used" in ana.read(LIST)


def test_a_scheme_of_an_application_is_put_in_words(ana: Person) -> None:
    Connection.objects.update(redirect_host="cursor:")
    assert "Returns to An application that your device opens ( cursor: )" in ana.read(LIST)


def test_what_was_never_used_says_so(ana: Person) -> None:
    assert "Last used Never" in ana.read(LIST)


def test_the_detail_says_what_happened_newest_first(world: World, ana: Person) -> None:
    backend = Backend.objects.create(name="careers", prefix="/api/v1/careers", upstream_url="https://careers.example")
    Operation.objects.create(
        backend=backend, operation_id="searchJobs", title="Search jobs", path="/jobs", methods="GET"
    )
    call(world, backend="careers", operation="searchJobs", status=200)
    call(world, decision=Decision.DENY, reason="insufficient_scope", status=403, request_id="ref-1")
    call(world, decision=Decision.ERROR, reason="backend_timeout", status=504, request_id="ref-2")
    call(world, operation="untitled", status=500)
    call(world, phase=Phase.INTENT, request_id="ref-3")
    lines = [
        "A call Started; how it ended is not known",
        "untitled The service answered with error 500",
        "A call Failed: the service did not answer in time",
        "Reference ref-2",
        "A call Blocked: you did not give this permission",
        "Reference ref-1",
        "Search jobs",
    ]
    text = ana.read(page_of(world.connection))
    places = [text.index(line) for line in lines]
    assert places == sorted(places)


def test_the_activity_is_read_page_by_page(world: World, ana: Person) -> None:
    for number in range(30):
        call(world, operation=f"operation-{number:02d}")
    first = ana.open(page_of(world.connection)).content.decode()
    older = re.search(r'href="(\?before=[^"]+)"', first)
    assert older is not None
    assert first.count('<li class="timeline--done">') == 25
    second = ana.open(page_of(world.connection) + older[1]).content.decode()
    assert "operation-04" in second
    assert "operation-05" not in second
    assert "?before=" not in second


@pytest.mark.parametrize("cursor", ["x", "1.1", "%00", "9" * 50 + ".0"])
def test_an_invented_page_of_the_activity_is_absent(world: World, ana: Person, cursor: str) -> None:
    assert ana.open(f"{page_of(world.connection)}?before={cursor}").status_code == 404


def test_permissions_that_open_nothing_say_so(world: World, ana: Person) -> None:
    Scope.objects.filter(name="tool:write").update(enabled=False)
    assert "tool:write Not available now" in ana.read(page_of(world.connection))
    assert "tool:write" not in ana.read(LIST)


def test_what_staff_suspended_says_so(world: World, ana: Person) -> None:
    suspend_client(client=world.client, actor=None, reason="phishing")
    assert "Suspended by our staff" in ana.read(LIST)


def test_what_staff_revoked_says_why_and_can_still_be_read(world: World, ana: Person) -> None:
    revoke_connection(connection=world.connection, actor=None, by="staff", reason="It misbehaved.")
    listed, detail = ana.read(LIST), ana.read(page_of(world.connection))
    assert listed.index("Nothing is connected") < listed.index("No longer connected Career Copilot")
    assert "by our staff: It misbehaved." in listed
    assert "by our staff: It misbehaved." in detail
    assert "Our staff revoked its access" in detail
    assert "What it could do" in detail


def test_an_expired_connection_is_a_past_one(world: World, ana: Person) -> None:
    Connection.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "No longer connected Career Copilot" in ana.read(LIST)
    assert "Expired" in ana.read(page_of(world.connection))


@pytest.mark.parametrize("page", ["", "{}/", "{}/revoke/"])
def test_the_pages_speak_portuguese(world: World, ana: Person, page: str) -> None:
    call(world, decision=Decision.DENY, reason="rate_limited")
    answer = ana.open(LIST + page.format(world.connection.pk), accept_language="pt-BR")
    html = answer.content.decode()
    assert '<html lang="pt-br"' in html
    assert re.search("Aplicativos conectados", html)
    assert not re.search("Connected apps|Last used|Revoke access|Blocked", html)


@pytest.mark.parametrize("page", ["", "{}/", "{}/revoke/"])
def test_the_pages_need_no_script_and_tell_nobody(world: World, ana: Person, page: str) -> None:
    answer = ana.open(LIST + page.format(world.connection.pk))
    html = answer.content.decode()
    assert "<script" not in html
    assert "style=" not in html
    assert "onclick" not in html
    assert "no-store" in answer["Cache-Control"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], "J09"
    assert "script-src" not in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_j05_what_an_application_calls_itself_is_text(world: World, ana: Person) -> None:
    world.client.name = "<script>alert(1)</script>"
    world.client.save()
    call(world, operation="<img src=x onerror=alert(1)>")
    for page in (LIST, page_of(world.connection), page_of(world.connection, "revoke/")):
        html = ana.open(page).content.decode()
        assert "<script" not in html
        assert "<img src=x" not in html


def test_the_list_costs_a_fixed_number_of_statements_and_one_for_each_card(
    world: World, make_world: Worlds, ana: Person, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(4):
        make_world()
    assert Connection.objects.filter(user=ana.user).count() == 5
    with django_assert_num_queries(5 + 5):
        # Session, user, connections, permissions, past connections; and the last use of each
        ana.open(LIST)


# Nobody else


@pytest.mark.parametrize("rest", ["", "revoke/"])
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_j01_to_anybody_else_it_is_not_there(
    world: World, bruno: Person, staff: Person, rest: str, method: str
) -> None:
    path = page_of(world.connection, rest)
    for other in (bruno, staff):
        answer = getattr(other.browser, method)(path)
        assert answer.status_code == (405 if (rest, method) == ("", "post") else 404)
    world.connection.refresh_from_db()
    assert world.connection.revoked_at is None


def test_to_anybody_else_the_list_shows_nothing_of_it(ana: Person, bruno: Person, staff: Person) -> None:
    assert "Career Copilot" in ana.read(LIST)
    assert all("Career Copilot" not in other.read(LIST) for other in (bruno, staff))


@pytest.mark.parametrize("rest", ["", "revoke/"])
def test_what_never_was_is_answered_alike(ana: Person, bruno: Person, world: World, rest: str) -> None:
    invented = f"{LIST}00000000-0000-4000-8000-000000000000/{rest}"
    answers = [ana.open(invented), bruno.open(page_of(world.connection, rest))]
    first, second = (re.sub(rb'value="[^"]+"', b"", answer.content) for answer in answers)
    assert first == second


@pytest.mark.parametrize("path", [LIST, LIST + "{}/", LIST + "{}/revoke/"])
@pytest.mark.parametrize("authorization", ["", "Bearer {}"])
def test_j03_only_a_session_opens_it(world: World, path: str, authorization: str) -> None:
    token = world.pair()["access_token"]
    answer = Browser().get(path.format(world.connection.pk), headers={"authorization": authorization.format(token)})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/connected-apps/")


def test_a_deactivated_account_opens_nothing(ana: Person) -> None:
    User.objects.filter(pk=ana.user.pk).update(is_active=False)
    assert ana.open(LIST).status_code == 302


# How it is stopped


def test_e10_revoking_ends_everything_at_once(world: World, ana: Person) -> None:
    pair, pending, revision = world.pair(), world.code(), read_all().get("revocation", 0)
    Interaction.objects.create(
        id="i" * 43,
        user=ana.user,
        client=world.client,
        resource=world.connection.resource,
        redirect_uri="https://client.example/callback",
        expires_at=timezone.now() + timedelta(minutes=10),
    )
    answer = ana.browser.post(page_of(world.connection, "revoke/"))
    assert (answer.status_code, answer["Location"]) == (303, LIST)
    assert "Career Copilot can no longer act for you." in ana.read(LIST)
    with pytest.raises(InvalidToken):
        verify_access_token(pair["access_token"])
    assert not get_refresh_token_model().objects.filter(revoked=None).exists()
    assert world.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert not get_grant_model().objects.exists()
    assert world.redeem(pending).json()["error"] == "invalid_grant"
    assert not Interaction.objects.exists()
    assert read_all()["revocation"] > revision
    event = Event.objects.get(kind=Kind.OAUTH_CONNECTION_REVOKED)
    assert (event.reason, event.connection, event.actor) == ("by_user", str(world.connection.pk), "")
    assert event.subject != ""


def test_j02_looking_changes_nothing(world: World, ana: Person) -> None:
    text = ana.read(page_of(world.connection, "revoke/"))
    assert "stops acting for you at once" in text
    world.connection.refresh_from_db()
    assert world.connection.is_live


def test_j10_twice_is_the_same_as_once(world: World, ana: Person) -> None:
    path = page_of(world.connection, "revoke/")
    assert [ana.browser.post(path).status_code for _ in range(2)] == [303, 303]
    assert Event.objects.filter(kind=Kind.OAUTH_CONNECTION_REVOKED).count() == 1
    assert ana.open(path)["Location"] == LIST
    assert "was already stopped" in ana.read(LIST)


def test_j04_another_connection_of_the_same_application_lives_on(world: World, ana: Person) -> None:
    other = Connection.objects.create(
        user=ana.user,
        client=world.client,
        resource=world.connection.resource,
        redirect_host="elsewhere.example",
        scopes="tool:read",
    )
    ana.browser.post(page_of(other, "revoke/"))
    assert world.redeem(world.code()).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
def test_a_form_of_another_site_changes_nothing(world: World, ana: Person, headers: dict[str, str]) -> None:
    strict = signed_in(ana.user, enforce_csrf_checks=True)
    answer = strict.browser.post(page_of(world.connection, "revoke/"), headers=headers)
    assert answer.status_code == 403
    world.connection.refresh_from_db()
    assert world.connection.is_live


def test_the_form_of_the_page_itself_works_with_csrf_checked(world: World, ana: Person) -> None:
    strict = signed_in(ana.user, enforce_csrf_checks=True)
    html = strict.open(page_of(world.connection, "revoke/")).content.decode()
    form = re.search(r'<form method="post" action="([^"]+/revoke/)">\s*<input[^>]+value="([^"]+)"', html)
    assert form is not None
    assert strict.browser.post(form[1], {"csrfmiddlewaretoken": form[2]}).status_code == 303
