"""What strangers name is fetched without following them anywhere they should not lead."""

import gzip
import socket
import time
from contextlib import suppress

import pytest

from oauth_provider.outbound import network
from oauth_provider.outbound.fetch import (
    AddressRefusedError,
    DeadlinePassedError,
    FetchError,
    TooLargeError,
    UnreachableError,
    fetch,
)
from tests.internet import PUBLIC_ADDRESS, Internet, Visit

NOT_PUBLIC = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "0.0.0.0", "198.18.0.1", "192.0.0.192", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1",  # noqa: S104
    "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2001:0:a9fe:a9fe::1",
]  # fmt: skip


def test_a_document_is_fetched_from_the_address_its_name_leads_to(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.answer(b'{"a": 1}', etag='"1"'))
    found = fetch(url="https://app.example/client.json?x=1", headers={"if-none-match": '"0"'})
    assert (found.status, found.body, found.media_type) == (200, b'{"a": 1}', "application/json")
    assert found.headers["ETag"] == '"1"'
    (visit,) = internet.visits
    assert (visit.method, visit.path) == ("GET", "/client.json?x=1")
    assert visit.headers["host"] == "app.example"
    assert visit.headers["accept-encoding"] == "identity"
    assert visit.headers["if-none-match"] == '"0"'
    assert "cookie" not in visit.headers
    assert internet.connected == [(PUBLIC_ADDRESS, 443)]


def test_a_body_is_posted(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.answer(visit.body))
    found = fetch(url="https://app.example/hook", method="POST", body=b"[1]", headers={"content-type": "text/plain"})
    assert found.body == b"[1]"
    assert internet.visits[0].headers["content-type"] == "text/plain"


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_nothing_connects_to_an_address_that_is_not_public(internet: Internet, address: str) -> None:
    internet.leads("app.example", [address])
    host = f"[{address}]" if ":" in address else address
    for url in ("https://app.example/x", f"https://{host}/x"):
        with pytest.raises(AddressRefusedError):
            fetch(url=url)
    assert internet.connected == []


@pytest.mark.parametrize("addresses", [[PUBLIC_ADDRESS, "10.0.0.1"], ["::1", PUBLIC_ADDRESS], []])
def test_a_name_that_leads_inside_as_well_is_refused(internet: Internet, addresses: list[str]) -> None:
    internet.leads("app.example", addresses)
    with pytest.raises(FetchError):
        fetch(url="https://app.example/x")
    assert internet.connected == []


def test_the_checked_address_is_the_one_connected_to_whatever_the_name_says_next(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.answer(b"{}"))
    internet.leads("app.example", [PUBLIC_ADDRESS], ["127.0.0.1"])
    assert fetch(url="https://app.example/x").status == 200
    assert (internet.resolved, internet.connected) == (["app.example"], [(PUBLIC_ADDRESS, 443)])
    with pytest.raises(AddressRefusedError):
        fetch(url="https://app.example/x")
    assert len(internet.connected) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example/x", "ftp://app.example/x", "file:///etc/passwd", "//app.example/x", "app.example", "",
        "https://user@app.example/x", "https://user:pass@app.example/x", "https://app.example\\@evil.example/",
        "https://app.example/x#y", "https://app.example /x", "https://app.example/x\r\nHost: evil", "https:///x",
        "https://2130706433/x", "https://0x7f.1/x", "https://127.1/x", "https://0177.0.0.1/x", "https://①②⑦.0.0.1/x",
        "https://app_.example/x", "https://[::1%25lo]/x", "https://app.example:0/x", "https://app.example:99999/x",
        "https://app.example:443x/", "https://app.example./x", "https://a..b/x", "https://é.example/x", "https://[::1/",
        "https://app.example/\x00", "https://app.example/é",
    ],
)  # fmt: skip
def test_urls_that_parsers_could_read_differently_are_refused(internet: Internet, url: str) -> None:
    with pytest.raises(AddressRefusedError) as refusal:
        fetch(url=url)
    assert refusal.value.reason == "url_refused"
    assert (internet.resolved, internet.connected) == ([], [])


@pytest.mark.parametrize("port", [22, 25, 80, 6379, 5432, 27017])
def test_ports_of_other_protocols_are_refused(internet: Internet, port: int) -> None:
    with pytest.raises(AddressRefusedError) as refusal:
        fetch(url=f"https://app.example:{port}/x")
    assert refusal.value.reason == "port_refused"
    assert internet.connected == []


def test_inside_is_reached_only_when_staff_meant_it(internet: Internet) -> None:
    internet.host("keys.internal", lambda visit: visit.answer(b"{}"), address="10.1.2.3")
    with pytest.raises(AddressRefusedError):
        fetch(url="https://keys.internal/x")
    assert fetch(url="https://keys.internal/x", allow_private=True).status == 200
    internet.leads("keys.internal", ["169.254.169.254"])
    with pytest.raises(AddressRefusedError):
        fetch(url="https://keys.internal/x", allow_private=True)
    assert internet.connected == [("10.1.2.3", 443)]


def test_a_redirect_is_an_answer_and_is_not_followed(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.answer(b"", status=302, location="https://127.0.0.1/"))
    found = fetch(url="https://app.example/x")
    assert (found.status, found.headers["location"]) == (302, "https://127.0.0.1/")
    assert (internet.resolved, len(internet.connected)) == (["app.example"], 1)


def drip_head(visit: Visit) -> None:
    visit.raw(b"HTTP/1.1 200 OK\r\n")
    for _byte in range(200):
        visit.raw(b"x")
        time.sleep(0.02)


def drip_body(visit: Visit) -> None:
    visit.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n")
    for _byte in range(200):
        visit.raw(b" ")
        time.sleep(0.02)


def say_nothing(visit: Visit) -> None:
    time.sleep(2)
    visit.answer(b"{}")


@pytest.mark.parametrize("slow", [drip_head, drip_body, say_nothing])
def test_slowness_ends_with_the_deadline(internet: Internet, slow: object) -> None:
    def slowly(visit: Visit) -> None:
        with suppress(OSError):
            slow(visit)  # type: ignore[operator]

    internet.host("app.example", slowly)
    began = time.monotonic()
    with pytest.raises(DeadlinePassedError):
        fetch(url="https://app.example/x", timeout_s=0.4)
    assert time.monotonic() - began < 1.5


def test_a_resolver_that_does_not_answer_is_not_waited_for(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    def asleep(_host: str, _port: int) -> list[str]:
        time.sleep(1.5)
        return [PUBLIC_ADDRESS]

    monkeypatch.setattr(network, "resolve", asleep)
    began = time.monotonic()
    with pytest.raises(DeadlinePassedError):
        fetch(url="https://app.example/x", timeout_s=0.2)
    assert time.monotonic() - began < 1
    assert internet.connected == []


def chunked(visit: Visit) -> None:
    visit.raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    with suppress(OSError):
        for _chunk in range(10_000):
            visit.raw(b"2000\r\n" + b" " * 0x2000 + b"\r\n")


def announced(visit: Visit) -> None:
    visit.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n")


def until_closed(visit: Visit) -> None:
    visit.raw(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        visit.raw(b" " * 20_000)


@pytest.mark.parametrize("huge", [chunked, announced, until_closed])
def test_a_huge_body_is_cut(internet: Internet, huge: object) -> None:
    internet.host("app.example", huge)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError):
        fetch(url="https://app.example/x", max_bytes=10_000)


def test_a_compressed_body_is_refused_unread(internet: Internet) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    internet.host("app.example", lambda visit: visit.answer(bomb, content_encoding="gzip"))
    with pytest.raises(UnreachableError) as refusal:
        fetch(url="https://app.example/x")
    assert refusal.value.reason == "answer_unreadable"


@pytest.mark.parametrize(
    "nonsense",
    [b"SSH-2.0-x\r\n", b"", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\xff: \r\n\r\n"],
)
def test_nonsense_is_unreadable(internet: Internet, nonsense: bytes) -> None:
    internet.host("app.example", lambda visit: visit.raw(nonsense))
    with pytest.raises(UnreachableError) as refusal:
        fetch(url="https://app.example/x", timeout_s=2)
    assert refusal.value.reason == "answer_unreadable"


def test_an_answer_cut_short_is_unreadable(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"))
    with pytest.raises(UnreachableError):
        fetch(url="https://app.example/x", timeout_s=2)


def test_a_certificate_for_another_name_is_refused(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.answer(b"{}"), certificate_for="other.example")
    with pytest.raises(UnreachableError) as refusal:
        fetch(url="https://app.example/x")
    assert (refusal.value.reason, internet.visits) == ("tls_failed", [])


def test_an_authority_nobody_knows_is_refused(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    internet.host("app.example", lambda visit: visit.answer(b"{}"))
    monkeypatch.setattr(network, "resolve", internet.resolve)
    monkeypatch.setattr(network, "connect", internet.connect)
    with pytest.raises(UnreachableError) as refusal:
        fetch(url="https://app.example/x")
    assert (refusal.value.reason, internet.visits) == ("tls_failed", [])


def test_a_name_that_leads_nowhere_and_a_host_that_is_away(internet: Internet) -> None:
    internet.leads("away.example", ["93.184.215.99", "93.184.215.98"])
    for host, reason in (("nowhere.example", "name_unresolved"), ("away.example", "connection_failed")):
        with pytest.raises(UnreachableError) as refusal:
            fetch(url=f"https://{host}/x")
        assert refusal.value.reason == reason
    assert internet.connected == [("93.184.215.99", 443), ("93.184.215.98", 443)]


def test_of_several_addresses_the_next_is_tried(internet: Internet) -> None:
    internet.host("app.example", lambda visit: visit.answer(b"{}"))
    internet.leads("app.example", ["93.184.215.99", PUBLIC_ADDRESS])
    assert fetch(url="https://app.example/x").status == 200


def test_a_proxy_of_the_environment_is_not_used(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    internet.host("app.example", lambda visit: visit.answer(b"{}"))
    assert fetch(url="https://app.example/x").status == 200


def test_the_real_network_connects_to_literals_and_verifies_certificates() -> None:
    assert set(network.resolve("127.0.0.1", 443)) == {"127.0.0.1"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        network.connect("127.0.0.1", server.getsockname()[1], timeout_s=1).close()
    assert network.tls().check_hostname
