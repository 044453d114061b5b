"""The page of the backends' health: what the last check found, how this process gets on, and a check on demand."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.template.response import TemplateResponse
from django.test import RequestFactory

from proxy.catalogue.models import Backend
from proxy.health.admin import BackendCheckAdmin
from proxy.health.faults import FAULTS, fault_words
from proxy.health.models import BackendCheck
from proxy.refusals import BackendFault, BackendTokenUnavailable, DeadlinePassed, Refusal
from proxy.upstream.breaker import BreakerState, Fault
from proxy.upstream.standing import Standing
from tests.proxy.authority import Authority
from tests.small_server import answering
from tests.staff_browser import StaffBrowser

PAGE = "/admin/proxy/backendcheck/"


class Answering(BaseHTTPRequestHandler):
    """Says what its path says."""

    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        """Answer with the status that is the path."""
        self.asked.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(int(self.path.strip("/")))
        self.end_headers()


@pytest.fixture
def up() -> Iterator[int]:
    """The port of backends that answer."""
    Answering.asked = []
    with answering(Answering) as server:
        yield server.server_port


def stored(name: str, url: str = "http://127.0.0.1:9", **changes: Any) -> Backend:
    """A stored backend."""
    return Backend.objects.create(
        name=name, prefix=f"/api/v1/{name}", upstream_url=url, **({"allow_private": True} | changes)
    )


def test_a_backend_that_nobody_checked_or_called_is_on_the_page(staff: StaffBrowser) -> None:
    stored("jobs")
    text = staff.text(PAGE)
    assert "jobs" in text
    assert "Not checked yet" in text
    assert "No call yet" in text


def test_all_that_are_enabled_are_checked_at_once_without_any_credential(staff: StaffBrowser, up: int) -> None:
    stored("good", f"http://127.0.0.1:{up}/204", credential_sealed="sealed")
    stored("bad", f"http://127.0.0.1:{up}/503")
    stored("gone")
    stored("off", f"http://127.0.0.1:{up}/200", enabled=False)
    assert staff.http.post(PAGE).status_code == 302
    assert {check.backend.name for check in BackendCheck.objects.all()} == {"good", "bad", "gone"}
    text = staff.text(PAGE)
    for words in ("Answers 204", "Answers 503", "failed with 503", "Not reachable", "Nothing listens there"):
        assert words in text
    assert not any({"authorization", "x-user-id", "cookie"} & headers.keys() for headers in Answering.asked)


def test_one_is_checked_and_its_last_check_replaced(staff: StaffBrowser, up: int) -> None:
    stored("jobs")
    stored("other")
    for _time in range(2):
        staff.http.post(PAGE, {"backend": "jobs"})
    assert [check.reachable for check in BackendCheck.objects.all()] == [False]
    Backend.objects.filter(name="jobs").update(upstream_url=f"http://127.0.0.1:{up}/200")
    staff.http.post(PAGE, {"backend": "jobs"})
    (check,) = BackendCheck.objects.all()
    assert (check.reachable, check.status, check.advice) == (True, 200, "")


@pytest.mark.parametrize("name", ["nobody", "\x00", "x" * 5000])
def test_who_is_not_there_is_not_checked(staff: StaffBrowser, name: str) -> None:
    assert staff.http.post(PAGE, {"backend": name}).status_code == 404


def test_who_may_only_look_checks_nothing(viewer: StaffBrowser) -> None:
    stored("jobs")
    assert "Check all now" not in viewer.text(PAGE)
    assert viewer.http.post(PAGE).status_code == 403
    assert not BackendCheck.objects.exists()


def test_the_command_leaves_what_it_found_for_the_page(staff: StaffBrowser) -> None:
    stored("jobs")
    with pytest.raises(SystemExit):
        call_command("check_backends")
    assert "Not reachable" in staff.text(PAGE)


def test_a_backend_has_a_page_of_its_own(staff: StaffBrowser, up: int) -> None:
    jobs = stored("jobs", f"http://127.0.0.1:{up}/200")
    other = stored("other")
    leads = staff.http.get(f"/admin/proxy/backend/{jobs.pk}/health/")
    page = f"{PAGE}?backend=jobs"
    assert (leads.status_code, leads.headers["Location"]) == (302, page)
    assert f"/admin/proxy/backend/{jobs.pk}/health/" in staff.text(f"/admin/proxy/backend/{jobs.pk}/change/")
    text = staff.text(page)
    assert "Health of jobs" in text
    assert "q=backend%3Ajobs%20decision%3Aerror" in text
    assert "Check all now" not in text
    assert f"/admin/proxy/backend/{other.pk}/change/" not in text
    assert staff.http.post(page, {"backend": "jobs"}).headers["Location"] == page
    assert "Answers 200" in staff.text(page)


@pytest.mark.parametrize("path", [f"{PAGE}?backend=nobody", "/admin/proxy/backend/9999/health/"])
def test_there_is_no_page_of_who_is_not_there(staff: StaffBrowser, path: str) -> None:
    assert staff.http.get(path).status_code == 404


@pytest.mark.django_db
def test_its_connections_are_on_its_own_page() -> None:
    stored("jobs", max_concurrency=9)
    words = "3 of 9 connections in use, 2 kept for the next call"
    assert words in page_of(Standing(in_use=3, kept=2), of="jobs")
    assert words not in page_of(Standing(in_use=3, kept=2))


def page_of(standing: Standing, *, of: str = "") -> str:
    """The page as the process serves it that knows `standing` of every backend."""
    request = RequestFactory().get(PAGE, {"backend": of} if of else None)
    request.user = User(username="root", is_superuser=True, is_staff=True, is_active=True)
    request.scope = {"state": {"standing_of": lambda _name, _url: standing}}  # type: ignore[attr-defined]
    page = BackendCheckAdmin(BackendCheck, admin.site)
    answer = page.changelist_view(request)
    assert isinstance(answer, TemplateResponse)
    return str(answer.render().content.decode())


@pytest.mark.django_db
def test_how_calls_of_this_process_go_is_on_the_page() -> None:
    stored("jobs")
    state = BreakerState(is_open=True, opens_in_s=14.0, last_fault=Fault("backend_tls_failed", time.time()))
    text = page_of(Standing(breaker=state, usual_ms=12.3))
    for words in ("Left alone for 14 s", "usually 12.3 ms", "TLS could not be agreed on"):
        assert words in text
    assert "It answered 503." in page_of(Standing(breaker=BreakerState(last_fault=Fault("status_503", 0.0))))
    text = page_of(Standing(token_fault="backend_token_refused", token_error="invalid_client"))
    assert "does not give the gateway a token. (invalid_client)" in text


@pytest.mark.django_db
def test_a_certificate_that_ends_soon_is_named() -> None:
    authority = Authority()
    stored("jobs", "https://jobs.example", tls_client_certificate=authority.give("gateway", days=5).certificate)
    stored("other", "https://jobs.example", tls_client_certificate=authority.give("gateway", days=300).certificate)
    assert page_of(Standing()).count("A certificate ends on") == 1


def test_every_fault_of_a_backend_has_words() -> None:
    family: list[type[Refusal]] = [BackendFault, DeadlinePassed, BackendTokenUnavailable]
    for kind in family:
        family += kind.__subclasses__()
        assert kind.reason in FAULTS
    assert fault_words("anything") == "anything"
