"""A backend's address is resolved once, judged, and pinned."""

import asyncio
import socket
from dataclasses import replace

import pytest

from oauth_provider.outbound.addresses import AddressRefused
from proxy.refusals import BackendRefusedByGuard, BackendUnreachable
from proxy.upstream.egress import NameUnresolved, pinned_address, resolve
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend


async def test_a_name_is_resolved_then_judged() -> None:
    assert set(await resolve("localhost", 80, allow_private=True)) <= {"127.0.0.1", "::1"}
    with pytest.raises(AddressRefused):
        await resolve("localhost", 80, allow_private=False)


async def test_of_several_addresses_one_that_takes_connections_is_pinned(
    backend: RawBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(*_args: object, **_kwargs: object) -> list[object]:
        return [(0, 0, 0, "", (address, backend.port)) for address in ("::1", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    plan = backend_plan(f"http://jobs.internal:{backend.port}")
    assert {await pinned_address(plan) for _try in range(20)} == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
async def test_a_numeric_host_is_judged_by_where_it_leads(host: str) -> None:
    with pytest.raises((AddressRefused, NameUnresolved)):
        await resolve(host, 80, allow_private=False)


async def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_args: object, **_kwargs: object) -> list[object]:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    with pytest.raises(NameUnresolved):
        await resolve("nowhere.invalid", 80, allow_private=True)
    with pytest.raises(BackendUnreachable) as refusal:
        await pinned_address(backend_plan("http://nowhere.invalid"))
    assert refusal.value.reason == "backend_name_unresolved"


async def test_a_backend_that_leads_inside_is_refused_by_the_guard() -> None:
    with pytest.raises(BackendRefusedByGuard) as refusal:
        await pinned_address(replace(backend_plan("http://localhost:81"), allow_private=False))
    assert (refusal.value.status, refusal.value.reason) == (502, "backend_address_refused")
