"""Django behind ASGI: a thread for each request at a time, and threads that stay."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils import translation

from gateway_project import control_plane
from gateway_project.control_plane import KEPT_THREADS, TURNS, ControlPlane

BOTH = threading.Barrier(2, timeout=20)
ALL = threading.Barrier(TURNS, timeout=20)
GO = threading.Event()
inside: list[int] = []


def thread(request: HttpRequest) -> HttpResponse:
    """Which one answers."""
    del request
    return HttpResponse(str(threading.get_ident()))


def together(request: HttpRequest) -> HttpResponse:
    """The same, once two are asked."""
    BOTH.wait()
    return thread(request)


def crowded(request: HttpRequest) -> HttpResponse:
    """How many are here, once there are as many as can be."""
    inside.append(1)
    ALL.wait()
    found = len(inside)
    # Nobody leaves before everybody has counted
    ALL.wait()
    inside.pop()
    return thread(request) if found == TURNS else HttpResponse(str(found), status=500)


def held(request: HttpRequest) -> HttpResponse:
    """As slow as somebody else makes it."""
    GO.wait(20)
    return thread(request)


def left_over(request: HttpRequest) -> HttpResponse:
    """Whether a request before left a connection or a language; then leave both."""
    found = f"{connection.connection is not None} {translation.get_language()}"
    connection.ensure_connection()
    translation.activate("pt-br")
    del request
    return HttpResponse(found)


def fails(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    raise ValueError(request.path)


urlpatterns = [path(view.__name__, view) for view in (thread, together, crowded, held, left_over, fails)]


@pytest.fixture
def application() -> Iterator[ControlPlane]:
    """With the paths above."""
    with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
        yield ControlPlane()


async def get(application: ControlPlane, name: str) -> tuple[int, str]:
    """Status and body."""
    sent: list[Any] = []

    async def receive() -> Any:
        if not sent:
            sent.append(None)
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": f"/{name}", "query_string": b"", "scheme": "http",
             "headers": [(b"host", b"testserver")], "http_version": "1.1"}  # fmt: skip
    await application(scope, receive, send)
    return sent[1]["status"], sent[2]["body"].decode()


@pytest.mark.django_db(transaction=True)
def test_requests_that_follow_each_other_share_a_thread_and_nothing_else(application: ControlPlane) -> None:
    async def follow() -> tuple[set[str], set[str]]:
        threads = {(await get(application, "thread"))[1] for _ in range(3)}
        return threads, {(await get(application, "left_over"))[1] for _ in range(3)}

    threads, found = asyncio.run(follow())
    assert len(threads) == 1
    assert found == {f"False {settings.LANGUAGE_CODE}"}


def test_requests_at_the_same_time_have_a_thread_each(application: ControlPlane) -> None:
    async def ask() -> list[tuple[int, str]]:
        return list(await asyncio.gather(*(get(application, "together") for _ in range(2))))

    (_status, one), (_other, two) = asyncio.run(ask())
    assert one != two


def test_of_a_crowd_so_many_are_answered_at_a_time(application: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_plane, "TURN_WITHIN_S", 20.0)

    async def crowd() -> list[tuple[int, str]]:
        return list(await asyncio.gather(*(get(application, "crowded") for _ in range(3 * TURNS))))

    assert {status for status, _body in asyncio.run(crowd())} == {200}


def test_those_who_wait_for_somebody_else_keep_nobody_out(application: ControlPlane) -> None:
    async def ask() -> tuple[int, list[tuple[int, str]]]:
        slow = [asyncio.create_task(get(application, "held")) for _ in range(2 * TURNS)]
        async with asyncio.timeout(10):
            status, _body = await get(application, "thread")
        assert not any(each.done() for each in slow)
        GO.set()
        return status, list(await asyncio.gather(*slow))

    status, slow = asyncio.run(ask())
    assert {status, *(each for each, _body in slow)} == {200}


def test_a_fault_gives_the_thread_back(application: ControlPlane) -> None:
    async def fail() -> tuple[int, set[str]]:
        before = (await get(application, "thread"))[1]
        status, _body = await get(application, "fails")
        return status, {before, (await get(application, "thread"))[1]}

    status, threads = asyncio.run(fail())
    assert status == 500
    assert len(threads) == 1


def test_of_a_crowd_no_more_threads_stay_than_are_of_use(application: ControlPlane) -> None:
    async def crowd() -> None:
        await asyncio.gather(*(get(application, "thread") for _ in range(3 * KEPT_THREADS)))

    before = threading.active_count()
    asyncio.run(crowd())
    for _ in range(100):
        if threading.active_count() <= before + KEPT_THREADS:
            break
        threading.Event().wait(0.05)
    assert threading.active_count() <= before + KEPT_THREADS
