"""Upstream URLs: read strictly, because every parser that reads them later may read them otherwise."""

import pytest

from proxy.catalogue.addresses import BadUpstreamUrl, UpstreamBase, leads_to, parse_upstream_url

OWN = "http://127.0.0.1:8000"

REFUSED = [
    # Not an absolute http or https URL
    "",
    "jobs.internal",
    "//jobs.internal/",
    "/api",
    "ftp://jobs.internal/",
    "file:///etc/passwd",
    "unix:/run/jobs.sock",
    "gopher://jobs.internal:70/",
    "javascript:alert(1)",
    "HTTP://jobs.internal/",
    # User names, queries, fragments
    "http://user@jobs.internal/",
    "http://user:secret@jobs.internal/",
    "http://@jobs.internal/",
    "http://jobs.internal/?a=b",
    "http://jobs.internal/#a",
    # Two parsers, two hosts
    "http://jobs.internal\\@evil.example/",
    "http://jobs.internal%2f@evil.example/",
    "http://evil.example#@jobs.internal/",
    "http://jobs.internal:80@evil.example/",
    "http://jobs.internal:80:90/",
    "http://jobs.internal/\t",
    "http://jobs.int\nernal/",
    "http:// jobs.internal/",
    "http://jobs.internal /",
    "http://jobs.internal\x00.evil.example/",
    "http:\\\\jobs.internal\\",
    "http:///jobs.internal/",
    "http:jobs.internal/",
    "http://[::1/",
    "http://[::1]evil.example/",
    "http://[fe80::1%25eth0]/",
    # Hosts that are addresses to some and names to others
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.0x1/",
    "http://1.2.3/",
    "http://1.2.3.4.5/",
    "http://256.1.1.1/",
    "http://①②⑦.0.0.1/",
    "http://jobs。internal/",
    # Hosts that are no names
    "http://-jobs.internal/",
    "http://jobs-.internal/",
    "http://jobs..internal/",
    "http://.jobs/",
    "http://jobs.internal./",
    "http://jobs_internal/",
    f"http://{'a' * 64}.example/",
    # Ports
    "http://jobs.internal:0/",
    "http://jobs.internal:/",
    "http://jobs.internal:65536/",
    "http://jobs.internal:+80/",
    "http://jobs.internal:8o/",
    # Paths that somebody would normalise
    "http://jobs.internal/a/../b",
    "http://jobs.internal/..//c",
    "http://jobs.internal/a//b",
    "http://jobs.internal/a//",
    "http://jobs.internal/a;b",
    "http://jobs.internal/a%2fb",
    "http://jobs.internal/%2e%2e",
    "http://jobs.internal/café",
    # Link-local, metadata, multicast, nobody
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://0.0.0.0/",
    "http://[::]/",
    # This gateway, by any of its names
    "http://127.0.0.1:8000/",
    "http://localhost:8000/api",
    "http://gate.localhost:8000/",
    "http://127.9.9.9:8000/",
    "http://[::1]:8000/",
    "http://[::ffff:127.0.0.1]:8000/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_a_bad_upstream_url_is_refused_at_save(url: str) -> None:
    with pytest.raises(BadUpstreamUrl):
        parse_upstream_url(url, own_origin=OWN)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://jobs.internal", UpstreamBase("http", "jobs.internal", 80, "jobs.internal", "")),
        ("https://jobs.internal/", UpstreamBase("https", "jobs.internal", 443, "jobs.internal", "")),
        ("http://Jobs.Internal:81/a/b/", UpstreamBase("http", "jobs.internal", 81, "jobs.internal:81", "/a/b")),
        ("http://10.0.0.7:81/a", UpstreamBase("http", "10.0.0.7", 81, "10.0.0.7:81", "/a")),
        ("http://[fd00::7]:81/a", UpstreamBase("http", "fd00::7", 81, "[fd00::7]:81", "/a")),
        ("http://127.0.0.1:8001/careers", UpstreamBase("http", "127.0.0.1", 8001, "127.0.0.1:8001", "/careers")),
        ("http://localhost:3014", UpstreamBase("http", "localhost", 3014, "localhost:3014", "")),
        ("http://4jobs.example", UpstreamBase("http", "4jobs.example", 80, "4jobs.example", "")),
    ],
)  # fmt: skip
def test_the_parts_of_a_good_one(url: str, base: UpstreamBase) -> None:
    assert parse_upstream_url(url, own_origin=OWN) == base


def test_an_origin_without_port_has_the_port_of_its_scheme() -> None:
    assert leads_to("https://gateway.example", host="gateway.example.", port=443)
    assert not leads_to("https://gateway.example", host="gateway.example", port=80)
    assert not leads_to("https://gateway.example", host="other.example", port=443)
