"""A backend's own TLS as staff give it: checked by field, its key sealed, what it shows shown, its end announced."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.keys.encryption import decrypt
from proxy.catalogue.models import Backend
from proxy.catalogue.snapshot import build
from proxy.catalogue.tls import facts, tls_context, tls_faults
from tests.management_api import Api, errors_of
from tests.proxy.authority import Authority, Given
from tests.staff_browser import StaffBrowser, last_event
from tests.staff_browser import errors_of as form_errors_of

JOBS = {"name": "jobs", "prefix": "/api/v1/jobs", "upstream_url": "https://jobs.example/api"}
PAGE = "/admin/proxy/backend/{}/change/"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Whom the company trusts."""
    return Authority()


@pytest.fixture(scope="module")
def given(authority: Authority) -> Given:
    """The gateway's certificate."""
    return authority.give("gateway")


@pytest.fixture
def jobs(api: Api) -> dict[str, Any]:
    """A backend."""
    return api.made("backends/", **JOBS)


def tls(given: Given, **changes: str) -> dict[str, str]:
    """A certificate and its key."""
    return {"client_certificate": given.certificate, "client_key": given.key} | changes


def test_what_fits_together_has_no_faults(authority: Authority, given: Given) -> None:
    assert tls_faults(ca="", certificate="", key="") == {}
    assert tls_faults(ca=authority.pem, certificate=given.certificate + authority.pem, key=given.key) == {}
    assert tls_faults(ca=authority.pem + given.certificate, certificate="", key="") == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ca": "x"}, "ca"),
        ({"ca": "x" * 70_000}, "ca"),
        ({"ca": "key"}, "ca"),
        ({"certificate": "x"}, "client_certificate"),
        ({"certificate": ""}, "client_certificate"),
        ({"key": ""}, "client_key"),
        ({"key": "x"}, "client_key"),
        ({"key": "other"}, "client_key"),
        ({"key": "locked"}, "client_key"),
        ({"key": "certificate"}, "client_key"),
    ],
)
def test_what_does_not_is_named(authority: Authority, given: Given, changes: dict[str, str], field: str) -> None:
    known = {
        "key": given.key,
        "other": authority.give("gateway").key,
        "locked": given.locked_key,
        "certificate": given.certificate,
    }
    values = {"ca": authority.pem, "certificate": given.certificate, "key": given.key}
    values |= {name: known.get(value, value) for name, value in changes.items()}
    assert set(tls_faults(**values)) == {field}


def test_what_is_shown_of_a_certificate_is_its_subject_and_its_end(given: Given) -> None:
    (shown,) = facts(given.certificate)
    assert shown.subject == "CN=gateway"
    assert abs(shown.expires_at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=5)
    assert facts("not PEM") == []


@pytest.mark.usefixtures("jobs")
def test_it_is_given_over_the_api_and_its_key_is_never_shown(api: Api, authority: Authority, given: Given) -> None:
    answer = api.patch("backends/jobs/", {"tls": tls(given, ca=authority.pem)})
    shown = {"ca": authority.pem.strip(), "client_certificate": given.certificate.strip()}
    assert answer.json()["tls"] == shown
    row = Backend.objects.get()
    assert decrypt(row.tls_client_key_sealed).decode() == given.key.strip()
    assert build(revision=1).backends["jobs"].tls is not tls_context()
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert event.fields == ["tls"]
    assert given.key.splitlines()[1] not in str(list(Event.newest_first().values()))
    events = Event.newest_first().count()
    assert api.patch("backends/jobs/", {"tls": shown}).status_code == 200
    assert Event.newest_first().count() == events


@pytest.mark.usefixtures("jobs")
def test_a_part_of_it_is_changed_and_the_rest_stays(api: Api, authority: Authority, given: Given) -> None:
    api.patch("backends/jobs/", {"tls": tls(given, ca=authority.pem)})
    assert api.patch("backends/jobs/", {"tls": {"ca": ""}}).json()["tls"]["ca"] == ""
    sealed = Backend.objects.get().tls_client_key_sealed
    assert sealed
    new = authority.give("gateway")
    assert "tls.client_key" in errors_of(api.patch("backends/jobs/", {"tls": {"client_certificate": new.certificate}}))
    assert "tls.client_key" in errors_of(api.patch("backends/jobs/", {"tls": {"client_key": new.key}}))
    assert Backend.objects.get().tls_client_key_sealed == sealed
    assert api.patch("backends/jobs/", {"tls": tls(new)}).status_code == 200
    assert api.patch("backends/jobs/", {"tls": {"client_certificate": ""}}).json()["tls"] is None
    assert Backend.objects.get().tls_client_key_sealed == ""


@pytest.mark.usefixtures("jobs")
def test_all_of_it_is_taken_away_at_once(api: Api, authority: Authority, given: Given) -> None:
    api.patch("backends/jobs/", {"tls": tls(given, ca=authority.pem)})
    assert api.patch("backends/jobs/", {"tls": None}).json()["tls"] is None
    assert build(revision=1).backends["jobs"].tls is tls_context()


@pytest.mark.usefixtures("jobs")
def test_http_uses_none_of_it(api: Api, authority: Authority) -> None:
    change = {"upstream_url": "http://jobs.example", "tls": {"ca": authority.pem}}
    assert "tls.ca" in errors_of(api.patch("backends/jobs/", change))


def test_staff_give_replace_and_remove_it(staff: StaffBrowser, authority: Authority, given: Given) -> None:
    pems = {"tls_ca": authority.pem, "tls_client_certificate": given.certificate, "tls_client_key": given.key}
    assert staff.fill("/admin/proxy/backend/add/", **JOBS, **pems).status_code == 302
    row = Backend.objects.get()
    page = PAGE.format(row.pk)
    text = staff.text(page)
    assert "CN=gateway" in text
    assert given.key.splitlines()[1] not in text
    assert row.tls_client_key_sealed not in text
    new = authority.give("gateway")
    assert "tls_client_key" in form_errors_of(staff.fill(page, tls_client_certificate=new.certificate))
    assert staff.fill(page, tls_client_certificate=new.certificate, tls_client_key=new.key).status_code == 302
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["tls_client_certificate", "tls_client_key"]
    assert staff.fill(page, timeout_ms="5000").status_code == 302
    assert Backend.objects.get().tls_client_key_sealed
    assert staff.fill(page, remove_client_certificate="on").status_code == 302
    row.refresh_from_db()
    assert (row.tls_client_certificate, row.tls_client_key_sealed) == ("", "")


@pytest.mark.parametrize(("name", "value"), [("tls_ca", "x"), ("tls_client_certificate", "x"), ("tls_client_key", "x")])
def test_what_staff_cannot_use_is_refused_by_field(staff: StaffBrowser, name: str, value: str) -> None:
    assert list(form_errors_of(staff.fill("/admin/proxy/backend/add/", **JOBS, **{name: value}))) == [name]


def test_a_certificate_that_has_ended_is_announced_and_kept(staff: StaffBrowser, authority: Authority) -> None:
    old = authority.give("gateway", days=-1)
    pems = {"tls_client_certificate": old.certificate, "tls_client_key": old.key}
    assert staff.fill("/admin/proxy/backend/add/", **JOBS, **pems).status_code == 302
    assert "CN=gateway has expired on" in staff.text(PAGE.format(Backend.objects.get().pk))
