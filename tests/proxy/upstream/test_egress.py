"""Which addresses may be connected to: judged as addresses, after resolution, whatever the name looked like."""

import asyncio
import socket
from dataclasses import replace

import pytest

from proxy.refusals import BackendRefusedByGuard, BackendUnreachable
from proxy.upstream.egress import AddressRefused, NameUnresolved, allowed, is_allowed, pinned_address, resolve
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend

PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
# Only for backends that staff marked internal
INTERNAL = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "100.64.0.1", "100.127.255.254", "198.18.0.1", "198.19.255.255", "::1", "fc00::1", "fd00::1", "fec0::1",
    # The same, carried in IPv6
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.168.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1",
]  # fmt: skip
# For nobody
NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254", "192.0.0.192", "192.0.0.170",  # noqa: S104 - not bound
    "100.100.100.200",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1", "ff02::1",
    "fd00:ec2::254", "fd20:ce::254", "fe80::1%eth0",
    "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "64:ff9b:1::169.254.169.254", "2002:a9fe:a9fe::1",
    "::169.254.169.254", "2001:0:a9fe:a9fe::1", "::ffff:224.0.0.1",
    # Not an address at all
    "", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "1.1.1.1:80", "1.1.1.1/32",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("allow_private", [True, False])
def test_public_addresses_may_be_called(address: str, allow_private: bool) -> None:
    assert is_allowed(address, allow_private=allow_private)


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_only_when_staff_said_so(address: str) -> None:
    assert not is_allowed(address, allow_private=False)
    assert is_allowed(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allow_private", [True, False])
def test_some_addresses_are_never_called(address: str, allow_private: bool) -> None:
    assert not is_allowed(address, allow_private=allow_private)


@pytest.mark.parametrize("allow_private", [True, False])
def test_an_address_of_documentation_is_nobodys(allow_private: bool) -> None:
    assert not is_allowed("203.0.113.1", allow_private=allow_private)
    assert not is_allowed("2001:db8::1", allow_private=allow_private)


def test_of_split_answers_only_the_good_ones_are_left() -> None:
    answers = ["10.0.0.1", "1.1.1.1", "169.254.169.254", "127.0.0.1", "1.1.1.1"]
    assert allowed(answers, allow_private=False) == ["1.1.1.1"]
    assert sorted(allowed(answers, allow_private=True)) == ["1.1.1.1", "10.0.0.1", "127.0.0.1"]


def test_calls_are_spread_over_the_addresses_of_a_name() -> None:
    answers = ["1.1.1.1", "1.0.0.1"]
    assert {allowed(answers, allow_private=False)[0] for _try in range(50)} == set(answers)


@pytest.mark.parametrize("answers", [[], ["127.0.0.1"], ["169.254.169.254", "10.0.0.1"]])
def test_without_a_good_one_none_is_called(answers: list[str]) -> None:
    with pytest.raises(AddressRefused):
        allowed(answers, allow_private=False)


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
