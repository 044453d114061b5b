"""Clients in the admin: what staff do on the pages, what follows, and what the ledger says of it."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client
from oauth_provider.clients.secrets import live_secrets, matches
from oauth_provider.resources.registry import register
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope
from tests.staff_browser import StaffBrowser, errors_of, last_event

LIST = "/admin/oauth_provider/client/"
ADD = f"{LIST}add/"
GPT = [
    "https://chat.openai.com/aip/g-abc123/oauth/callback",
    "https://chatgpt.com/aip/g-abc123/oauth/callback",
]
CALLBACKS = {"id": "g-abc123", "callback": GPT[1], "editor": "https://chatgpt.com/gpts/editor/g-abc123",
             "public": "https://chatgpt.com/g/g-abc123-career-copilot"}  # fmt: skip


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    """A backend's resource and two permissions."""
    del db
    register(path="/api/v1/gpt", title="careers")
    Scope.objects.create(name="jobs:read", title="Search jobs")
    Scope.objects.create(name="jobs:write", title="Apply", sensitivity="write")


@pytest.fixture
def gpt() -> Client:
    """A GPT with its callback."""
    return make("gpt", gpt="g-abc123")


def make(preset: str, **values: Any) -> Client:
    """A client made by the verb."""
    defaults = {"name": "Copilot", "scopes": ("jobs:read",), "default_resource": "/api/v1/gpt", "actor": None}
    return create_client(preset=preset, **(defaults | values)).client


def page(client: Client, *parts: str) -> str:
    """The address of a page of `client`."""
    return "/".join([LIST.rstrip("/"), str(client.pk), *(parts or ("change",))]) + "/"


def add_gpt(staff: StaffBrowser, **changes: Any) -> Any:
    """Create a GPT's client on the page."""
    values = {"preset": "gpt", "name": "Copilot", "allowed_scopes": ["jobs:read"], "default_resource": "/api/v1/gpt"}
    return staff.fill(ADD, **(values | changes))


def secret_on(text: str) -> str:
    """The secret a setup sheet shows, "" when it shows none."""
    after = text.partition("gh-line--secret")[2]
    return after.partition('value="')[2].partition('"')[0]


@pytest.mark.parametrize("pasted", CALLBACKS.values(), ids=CALLBACKS)
def test_both_callbacks_of_a_gpt_are_derived_from_what_is_pasted(staff: StaffBrowser, pasted: str) -> None:
    add_gpt(staff, gpt=pasted)
    assert Client.objects.get().redirect_uris.split() == GPT


def test_adding_leads_to_the_setup_sheet_which_shows_the_secret_once(staff: StaffBrowser) -> None:
    answer = add_gpt(staff)
    client = Client.objects.get()
    assert answer.status_code == 302
    first = staff.open(answer.headers["Location"])
    secret = secret_on(first.content.decode())
    assert matches(client=client, secret=secret)
    assert "no-store" in first.headers["Cache-Control"]
    again = staff.text(answer.headers["Location"])
    assert secret not in again
    assert secret_on(again) == ""


def test_the_secret_waits_sealed(staff: StaffBrowser) -> None:
    answer = add_gpt(staff)
    kept = str(dict(staff.http.session))
    secret = secret_on(staff.text(answer.headers["Location"]))
    assert secret
    assert secret not in kept


def test_setup_sheet_has_every_field_of_the_gpt_editor(staff: StaffBrowser, gpt: Client) -> None:
    text = staff.text(page(gpt, "sheet"))
    for expected in (gpt.client_id, "/oauth/authorize", "/oauth/token", "jobs:read", "Default (POST request)"):
        assert expected in text


def test_adding_a_client_is_recorded_with_who_did_it(staff: StaffBrowser) -> None:
    add_gpt(staff)
    client = Client.objects.get()
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert event.target == f"client:{client.client_id}"
    assert event.actor == last_event(kind=Kind.ADMIN_SECRET_CREATED).actor != ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"gpt": "https://example.com/"}, "gpt"),
        ({"default_resource": ""}, "default_resource"),
        ({"default_resource": "/api/v1/unknown"}, "default_resource"),
        ({"allowed_scopes": ["jobs:delete"]}, "allowed_scopes"),
        ({"allowed_scopes": ["jobs:read"], "default_scopes": ["jobs:write"]}, "default_scopes"),
        ({"preset": "nonsense"}, "preset"),
        ({"redirect_uris": "https://evil.example/callback"}, "redirect_uris"),
        ({"preset": "other", "redirect_uris": ""}, "redirect_uris"),
        ({"preset": "other", "redirect_uris": "http://evil.example/callback"}, "redirect_uris"),
        ({"preset": "other", "redirect_uris": "https://a.example/cb\x00"}, "redirect_uris"),
        ({"preset": "other", "redirect_uris": "https://*.example/callback"}, "redirect_uris"),
        ({"name": "N\x00"}, "name"),
        ({"name": "N" * 300}, "name"),
    ],
)
def test_what_cannot_work_is_refused_by_field(staff: StaffBrowser, changes: dict[str, Any], field: str) -> None:
    assert field in errors_of(add_gpt(staff, **changes))
    assert not Client.objects.exists()
    assert not Event.objects.filter(kind=Kind.ADMIN_OBJECT_ADDED).exists()


@pytest.mark.parametrize("preset", ["chatgpt", "claude", "claude-code", "cursor", "vscode"])
def test_a_public_client_has_no_secret_and_knows_its_addresses(staff: StaffBrowser, preset: str) -> None:
    answer = staff.fill(ADD, preset=preset, name="App", allowed_scopes=["jobs:read"])
    client = Client.objects.get()
    assert client.redirect_uris
    assert not client.is_confidential
    assert secret_on(staff.text(answer.headers["Location"])) == ""


def test_a_service_has_no_address_to_return_to(staff: StaffBrowser) -> None:
    add_gpt(staff, preset="service", redirect_uris="https://left.example/over")
    assert Client.objects.get().redirect_uris == ""


def test_the_preset_of_the_address_is_chosen_already(staff: StaffBrowser) -> None:
    assert staff.form(f"{ADD}?preset=service", "preset").values["preset"] == ["service"]


def test_callback_may_follow_without_a_reason(staff: StaffBrowser) -> None:
    client = make("gpt")
    assert "Awaiting callback" in staff.text(LIST)
    assert staff.fill(page(client), gpt=GPT[0]).status_code == 302
    client.refresh_from_db()
    assert client.redirect_uris.split() == GPT
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["redirect_uris"]


@pytest.mark.parametrize(
    "changes", [{"allowed_scopes": ["jobs:read", "jobs:write"]}, {"allowed_scopes": []}, {"gpt": "g-other"}]
)
def test_giving_or_taking_access_needs_a_reason(staff: StaffBrowser, gpt: Client, changes: dict[str, Any]) -> None:
    assert list(errors_of(staff.fill(page(gpt), **changes))) == ["reason"]
    assert staff.fill(page(gpt), **changes, reason="Asked by legal").status_code == 302
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.note, event.client_id) == ("Asked by legal", gpt.client_id)


def test_a_change_is_announced_to_every_worker(staff: StaffBrowser, gpt: Client) -> None:
    before = read_all().get("revocation", 0)
    staff.fill(page(gpt), allowed_scopes=[], reason="No longer needed")
    assert read_all()["revocation"] > before


def test_a_name_changes_without_a_reason_and_saving_unchanged_records_nothing(staff: StaffBrowser, gpt: Client) -> None:
    staff.fill(page(gpt), name="Career Copilot")
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["name"]
    count = Event.objects.filter(kind=Kind.ADMIN_OBJECT_CHANGED).count()
    assert staff.fill(page(gpt), name="Career Copilot").status_code == 302
    assert Event.objects.filter(kind=Kind.ADMIN_OBJECT_CHANGED).count() == count


def test_what_somebody_else_just_changed_is_not_written_over(staff: StaffBrowser, gpt: Client) -> None:
    form = staff.form(page(gpt), "name")
    staff.fill(page(gpt), allowed_scopes=[], reason="Taken away meanwhile")
    answer = staff.http.post(page(gpt), form.values | {"name": ["Renamed"], "reason": ["x"]})
    assert "__all__" in errors_of(answer)
    gpt.refresh_from_db()
    assert (gpt.name, gpt.allowed_scopes) == ("Copilot", "")


def test_suspending_and_resuming(staff: StaffBrowser, gpt: Client) -> None:
    assert errors_of(staff.fill(page(gpt, "suspend"), reason=" "))
    staff.fill(page(gpt, "suspend"), reason="Strange calls")
    assert Client.objects.get(pk=gpt.pk).is_suspended
    assert last_event(kind=Kind.ADMIN_CLIENT_SUSPENDED).note == "Strange calls"
    assert "Strange calls" in staff.text(page(gpt))
    staff.fill(page(gpt, "resume"), reason="Explained")
    assert not Client.objects.get(pk=gpt.pk).is_suspended
    assert last_event(kind=Kind.ADMIN_CLIENT_RESUMED).note == "Explained"


def test_two_secrets_may_live_a_third_may_not(staff: StaffBrowser, gpt: Client) -> None:
    answer = staff.fill(page(gpt, "new-secret"), reason="Rotation")
    assert matches(client=gpt, secret=secret_on(staff.text(answer.headers["Location"])))
    assert live_secrets(client=gpt) == 2
    assert page(gpt, "new-secret") not in staff.text(page(gpt))
    staff.fill(page(gpt, "new-secret"), reason="Once more")
    assert live_secrets(client=gpt) == 2


def test_the_old_secret_is_retired_the_last_one_is_not(staff: StaffBrowser, gpt: Client) -> None:
    old = gpt.secrets.get()
    staff.fill(page(gpt, "new-secret"), reason="Rotation")
    retire = page(gpt, "secrets", str(old.pk), "retire")
    assert retire in staff.text(page(gpt))
    staff.fill(retire, reason="Moved over")
    assert live_secrets(client=gpt) == 1
    assert last_event(kind=Kind.ADMIN_SECRET_RETIRED).note == "Moved over"
    assert staff.open(retire).status_code == 404
    last = gpt.secrets.get(retired_at=None)
    staff.fill(page(gpt, "secrets", str(last.pk), "retire"), reason="This one too")
    assert live_secrets(client=gpt) == 1


def test_a_secret_of_another_client_is_not_found(staff: StaffBrowser, gpt: Client) -> None:
    other = make("service", name="Report")
    assert staff.open(page(gpt, "secrets", str(other.secrets.get().pk), "retire")).status_code == 404


def test_a_public_client_gets_no_secret(staff: StaffBrowser) -> None:
    client = make("claude")
    answer = staff.fill(page(client, "new-secret"), reason="Try")
    assert urlsplit(answer.headers["Location"]).path == page(client)
    assert not client.secrets.exists()


def test_list_says_kind_state_people_and_last_call(staff: StaffBrowser, gpt: Client) -> None:
    text = staff.text(LIST)
    for expected in ("Copilot", "Custom GPT with an Action", "Active", "Never", gpt.client_id):
        assert expected in text


@pytest.mark.parametrize(("state", "shown"), [("active", True), ("waiting", False), ("suspended", False), ("x", True)])
def test_list_is_narrowed_by_state(staff: StaffBrowser, gpt: Client, state: str, shown: bool) -> None:
    assert (gpt.client_id in staff.text(LIST, state=state)) is shown


def test_history_is_the_ledger(staff: StaffBrowser, gpt: Client) -> None:
    answer = staff.open(page(gpt, "history"))
    assert answer.headers["Location"] == f"/admin/audit/event/?q={gpt.client_id}"


def test_nobody_deletes_a_client(staff: StaffBrowser, gpt: Client) -> None:
    assert staff.http.post(page(gpt, "delete"), {"post": "yes", "reason": "x"}).status_code == 403
    assert Client.objects.filter(pk=gpt.pk).exists()


def test_who_may_only_look_sees_everything_and_does_nothing(viewer: StaffBrowser, gpt: Client) -> None:
    assert viewer.open(LIST).status_code == viewer.open(page(gpt)).status_code == 200
    assert viewer.open(page(gpt, "sheet")).status_code == 200
    assert page(gpt, "suspend") not in viewer.text(page(gpt))
    before = Event.objects.count()
    secret = str(gpt.secrets.get().pk)
    for act in (("suspend",), ("resume",), ("new-secret",), ("secrets", secret, "retire"), ("change",)):
        assert viewer.http.post(page(gpt, *act), {"reason": "x", "name": "x"}).status_code == 403, act
    assert viewer.open(ADD).status_code == 403
    assert Event.objects.count() == before


@pytest.mark.parametrize("pk", ["0", "x", "99999999999999999999999999", "1%00", "_5F", "../1", "1 or 1=1"])
@pytest.mark.parametrize("part", ["change", "sheet", "suspend", "new-secret", "secrets/1/retire", "history", "delete"])
def test_a_client_that_does_not_exist_is_no_error(staff: StaffBrowser, pk: str, part: str) -> None:
    assert staff.open(f"{LIST}{pk}/{part}/").status_code in {302, 400, 403, 404}


@pytest.mark.parametrize(
    "query",
    ["q=%00", "state=%00", "preset=%00", "preset__exact=nope", "p=x", "p=-1", "p=99999999", "o=99.-7.x", "all=", "e=1",
     "client_secret=x", "secrets__digest__startswith=a", "_to_field=client_secret", "_popup=1", "q=" + "x" * 5000,
     "created__gte=never", "name__regex=[", "_facets=1"],
)  # fmt: skip
def test_no_query_breaks_the_list(staff: StaffBrowser, gpt: Client, query: str) -> None:
    assert staff.open(f"{LIST}?{query}").status_code in {200, 302, 400}


def test_staff_let_a_service_exchange_tokens_and_ask_about_them(staff: StaffBrowser, gpt: Client) -> None:
    service = make("service", name="Nightly")
    resource = register(path="/api/v1/gpt", title="careers")
    changes: dict[str, str | list[str]] = {
        "may_exchange_tokens": "on",
        "exchanges_for": [str(gpt.pk)],
        "introspects": [str(resource.pk)],
    }
    assert errors_of(staff.fill(page(service), **changes))
    assert not service.exchanges_for.exists(), "whoever gains access gains it for a reason"
    staff.fill(page(service), reason="Reports", **changes)
    service.refresh_from_db()
    assert service.may_exchange_tokens
    assert (list(service.exchanges_for.all()), list(service.introspects.all())) == ([gpt], [resource])
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.note, set(event.fields)) == ("Reports", {"may_exchange_tokens", "exchanges_for", "introspects"})


def test_staff_say_when_people_must_sign_in_again(staff: StaffBrowser, gpt: Client) -> None:
    staff.fill(page(gpt), refresh_token_absolute_lifetime_s="7200")
    gpt.refresh_from_db()
    assert gpt.refresh_token_absolute_lifetime_s == 7200


def test_a_public_client_is_not_offered_what_needs_a_secret(staff: StaffBrowser) -> None:
    text = staff.text(page(make("claude")))
    assert "exchanges_for" not in text
    assert "introspects" not in text


def test_devices_are_allowed_by_saying_why(staff: StaffBrowser, make_client: Any) -> None:
    client = make_client()
    page = f"/admin/oauth_provider/client/{client.pk}/change/"
    assert list(errors_of(staff.fill(page, device_grant_allowed="on"))) == ["reason"]
    staff.fill(page, device_grant_allowed="on", reason="Their television")
    client.refresh_from_db()
    assert client.device_grant_allowed is True
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["device_grant_allowed"]
