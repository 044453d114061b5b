"""The process's ASGI application: one front door, two roads, and a request id on whatever it answers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from gateway_project import asgi, whole_body
from gateway_project.asgi import GatewayApplication
from proxy.asgi import DataPlane
from proxy.entrypoints import body
from proxy.entrypoints.asgi_types import Message
from tests.proxy.asgi_client import ADDRESS, HOST, Exchange, begin, call, http_scope
from tests.proxy.committed import committed, db
from tests.proxy.plane import GatedRecorder, recorder, stored, upstream
from tests.proxy.raw_backend import RawBackend
from tests.proxy.world import JOBS, OPEN, Stored, bearer, events

__all__ = ["committed", "db", "recorder", "stored", "upstream"]

MIB = 1_048_576
FORM = ("content-type", "application/x-www-form-urlencoded")


class Lifespan:
    """What a server does with an application before and after serving it."""

    def __init__(self, application: GatewayApplication) -> None:
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self._running = asyncio.create_task(application({"type": "lifespan"}, self._events.get, self.said.put))

    async def tell(self, event: str) -> Message:
        """Tell the application, and hear its answer."""
        await self._events.put({"type": f"lifespan.{event}"})
        return await asyncio.wait_for(self.said.get(), 5)

    async def end(self) -> None:
        """Wait for the application to be done."""
        await asyncio.wait_for(self._running, 5)


@pytest.fixture
async def gateway(
    db: None, stored: Stored, recorder: GatedRecorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[GatewayApplication]:
    """A served application."""
    del db, stored
    monkeypatch.setattr(asgi, "recorder", recorder)
    application = GatewayApplication()
    lifespan = Lifespan(application)
    assert (await lifespan.tell("startup"))["type"] == "lifespan.startup.complete"
    yield application
    assert (await lifespan.tell("shutdown"))["type"] == "lifespan.shutdown.complete"
    await lifespan.end()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[DataPlane]]:
    """The data planes that heard that their process is to stop; the signal ends nothing else."""
    found: list[DataPlane] = []
    monkeypatch.setattr(DataPlane, "drain", lambda plane: found.append(plane))  # noqa: PLW0108 - bound as a method
    usual = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    yield found
    signal.signal(signal.SIGTERM, usual)


async def ask(
    gateway: GatewayApplication,
    method: str,
    target: str,
    *headers: tuple[str, str],
    host: str = HOST[1],
    **changes: Any,
) -> Exchange:
    """Send one request as a server hands it over."""
    return await call(gateway, method, target, ("host", host), *headers, **changes)


ANSWERS = {
    "the data plane": ("GET", f"{JOBS}/jobs/7", 401),
    "a preflight": ("OPTIONS", f"{JOBS}/jobs/7", 204),
    "a document": ("GET", f"/.well-known/oauth-protected-resource{JOBS}", 200),
    "a page": ("GET", "/accounts/login/", 200),
    "an endpoint": ("POST", "/oauth/token", 400),
    "a page that is not there": ("GET", "/nothing/here", 404),
    "a health URL": ("GET", "/healthz", 200),
    "a refused method": ("TRACE", "/", 405),
    "a refused path": ("GET", f"{JOBS}/%2e%2e", 400),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer_has_a_request_id_of_our_own(gateway: GatewayApplication, case: str) -> None:
    method, target, status = ANSWERS[case]
    heard = [await ask(gateway, method, target, ("x-request-id", "forged")) for _time in range(2)]
    ids = {UUID(each.header("x-request-id")) for each in heard}
    assert [each.status for each in heard] == [status, status]
    assert len(ids) == 2
    assert {each.version for each in ids} == {7}


async def test_the_signal_to_stop_reaches_the_data_plane(
    told: list[DataPlane], gateway: GatewayApplication
) -> None:  # fmt: skip
    del gateway
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.01)
    assert len(told) == 1


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer_says_that_it_depends_on_the_origin(gateway: GatewayApplication, case: str) -> None:
    method, target, _status = ANSWERS[case]
    heard = [(name.lower(), value.lower()) for name, value in (await ask(gateway, method, target)).headers]
    (vary,) = [value for name, value in heard if name == "vary"]
    assert "origin" in vary.replace(" ", "").split(",")
    assert ("x-content-type-options", "nosniff") in heard


async def test_a_call_goes_to_the_data_plane(gateway: GatewayApplication, upstream: RawBackend, stored: Stored) -> None:
    heard = await ask(gateway, "GET", f"{JOBS}/jobs/7?a=b", bearer(stored.read))
    assert heard.status == 200
    arrived = upstream.request
    assert arrived.header("x-request-id") == heard.header("x-request-id")
    assert [event.decision for event in await events(heard.header("x-request-id"))] == ["allow"]


async def test_the_alias_of_the_oauth_endpoints_stays_on_the_control_plane(gateway: GatewayApplication) -> None:
    form = b"grant_type=authorization_code&code=x&client_id=nobody"
    for path in ("/oauth/token", "/api/v1/gpt/oauth/token"):
        heard = await ask(gateway, "POST", path, FORM, ("content-length", str(len(form))), body=(form,))
        assert (heard.status, heard.json()["error"]) == (401, "invalid_client")
    assert (await ask(gateway, "GET", "/api/v1/gpt/oauthx")).json()["status"] == 401


# Hosts


@pytest.mark.parametrize("path", ["/accounts/login/", f"{JOBS}/jobs/7", "/.well-known/oauth-authorization-server"])
async def test_an_unknown_host_is_400_on_both_roads(gateway: GatewayApplication, path: str) -> None:
    heard = await ask(gateway, "GET", path, host="evil.example")
    assert (heard.status, heard.json()["error"]) == (400, "invalid_request")
    assert b"evil.example" not in heard.body
    # What to do about it, and not which name would be right
    assert "PUBLIC_BASE_URL" in heard.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/health"])
async def test_probes_may_use_any_address(gateway: GatewayApplication, path: str) -> None:
    assert (await ask(gateway, "GET", path, host="10.0.0.7:8000")).status == 200


async def test_a_refusal_of_a_call_is_in_the_ledger_and_one_of_a_page_is_not(gateway: GatewayApplication) -> None:
    for path, recorded in ((f"{JOBS}/jobs/7", ["unknown_host"]), ("/accounts/login/", [])):
        heard = await ask(gateway, "GET", path, host="evil.example")
        assert [event.reason for event in await events(heard.header("x-request-id"))] == recorded


async def test_a_refusal_at_the_door_is_answered_even_when_it_cannot_be_recorded(
    gateway: GatewayApplication, recorder: GatedRecorder
) -> None:
    await asyncio.to_thread(recorder.stop)
    assert (await ask(gateway, "GET", f"{JOBS}/jobs/7", host="evil.example")).status == 400


@pytest.mark.parametrize("target", [f"{JOBS}/jobs/7", "/mcp"])
@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://chatgpt.com", "https://chatgpt.com"), ("https://x.example", "")]
)
async def test_a_page_may_read_why_its_call_was_refused_at_the_door(
    gateway: GatewayApplication, target: str, origin: str, allowed: str
) -> None:
    heard = await ask(gateway, "POST", target, ("origin", origin), ("upgrade", "websocket"))
    assert heard.status == 426
    found = {name: value for name, value in heard.headers if name == "access-control-allow-origin"}
    assert found == ({"access-control-allow-origin": allowed} if allowed else {})


async def test_a_refused_head_has_no_body(gateway: GatewayApplication) -> None:
    heard = await ask(gateway, "HEAD", "/accounts/login/", host="evil.example")
    assert (heard.status, heard.body) == (400, b"")


# Bodies for Django


async def test_a_body_announced_too_large_is_refused_before_any_of_it_is_read(gateway: GatewayApplication) -> None:
    heard = await ask(gateway, "POST", "/oauth/token", FORM, ("content-length", str(MIB + 1)), body=None)
    assert (heard.status, heard.json()["error"], heard.header("connection")) == (413, "content_too_large", "close")


async def test_an_unannounced_body_is_counted(gateway: GatewayApplication) -> None:
    heard = await ask(gateway, "POST", "/oauth/token", FORM, body=(b"a" * MIB, b"b"))
    assert heard.status == 413


async def test_a_slow_body_is_408(gateway: GatewayApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "GRACE_S", 0.05)
    exchange, running = begin(gateway, "POST", "/oauth/token", HOST, FORM, ("content-length", "100"), body=None)
    exchange.sends(b"grant_type=", more=True)
    await running
    assert (exchange.status, exchange.json()["error"]) == (408, "request_timeout")


async def test_a_body_that_is_never_too_slow_has_its_time_too(
    gateway: GatewayApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_body, "READ_WITHIN_S", 0.2)
    exchange, running = begin(gateway, "POST", "/oauth/token", HOST, FORM, ("content-length", str(MIB)), body=None)
    while not running.done():
        # Far more than the least rate
        exchange.sends(b"a" * 1024, more=True)
        await asyncio.sleep(0.02)
    assert (exchange.status, exchange.json()["error"]) == (408, "request_timeout")


async def test_a_body_in_pieces_arrives_whole(gateway: GatewayApplication) -> None:
    pieces = (b"grant_type=auth", b"orization_code&code=x", b"&client_id=nobody")
    heard = await ask(gateway, "POST", "/oauth/token", FORM, ("content-length", "53"), body=pieces)
    assert (heard.status, heard.json()["error"]) == (401, "invalid_client")


async def test_a_client_whose_body_breaks_off_is_told_so_if_it_still_listens(gateway: GatewayApplication) -> None:
    exchange, running = begin(gateway, "POST", "/oauth/token", HOST, FORM, ("content-length", "100"), body=None)
    exchange.sends(b"grant_type=", more=True)
    exchange.leaves()
    await asyncio.wait_for(running, 2)
    assert (exchange.status, exchange.header("connection")) == (400, "close")


# Addresses


# Proxies trusted, values of X-Forwarded-For, and the caller's address
FORWARDED: list[tuple[int, list[str], str]] = [
    (0, ["6.6.6.6"], ADDRESS),
    (1, ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
    (1, ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
    (2, ["6.6.6.6, 198.51.100.1, 10.0.0.1"], "198.51.100.1"),
    (2, ["198.51.100.1"], ADDRESS),
    (1, ["not an address"], ADDRESS),
    (1, [], ADDRESS),
]


@pytest.mark.parametrize("case", FORWARDED)
async def test_a_callers_address_is_what_trusted_proxies_say(
    gateway: GatewayApplication, upstream: RawBackend, settings: Settings, case: tuple[int, list[str], str]
) -> None:
    settings.TRUSTED_PROXY_COUNT, forwarded, address = case
    await ask(gateway, "GET", f"{OPEN}/x", *(("x-forwarded-for", value) for value in forwarded))
    assert upstream.request.header("x-forwarded-for") == upstream.request.header("x-real-ip") == address


# The life of the process


async def test_other_protocols_are_not_spoken(gateway: GatewayApplication) -> None:
    exchange = Exchange()
    await gateway(http_scope("GET", "/mcp", HOST, type="websocket"), exchange.receive, exchange.send)
    assert exchange.status == 0


async def test_a_start_that_fails_is_said_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(_plane: DataPlane) -> None:
        raise DatabaseError("a private detail")

    monkeypatch.setattr(DataPlane, "start", failing)
    lifespan = Lifespan(GatewayApplication())
    said = await lifespan.tell("startup")
    assert said["type"] == "lifespan.startup.failed"
    assert "private" not in said["message"]
    await lifespan.end()
