"""A hundred hostile documents and as many addresses of documents: refused in words, nothing breaks, nothing is kept."""

import pytest
from django.test import Client as Browser

from audit.ledger.models import Event
from oauth_provider.clients.models import Client
from oauth_provider.registration.documents.addresses import check_address, looks_like_address
from oauth_provider.registration.documents.errors import BadAddressError
from tests.oauth_provider.registration.documents.hostile import ALL, Content
from tests.oauth_provider.registration.documents.world import URL, DocumentWorld, document

ADDRESSES = [
    "http://app.example/x", "HTTPS://app.example/x", "https://app.example", "https://app.example/", "https://app.example//",
    "https://user@app.example/x", "https://user:pass@app.example/x", "https://@app.example/x", "https://app.example/x#y",
    "https://app.example/x#", "https://app.example/x?y", "https://app.example/x?", "https://app.example/./x",
    "https://app.example/../x", "https://app.example/x/..", "https://app.example/x/.", "https://app.example/%2e%2e/x",
    "https://app.example/%2E/x", "https://app.example/a%2fb", "https://app.example/a%5cb", "https://app.example/%00",
    "https://app.example/%252e", "https://app.example\\x/y", "https://app.example/x\\y", "https://app.example /x",
    "https://app.example/x y", "https://app.example/x\ty", "https://127.0.0.1/x", "https://10.0.0.1/x",
    "https://100.64.0.1/x", "https://0.0.0.0/x", "https://169.254.169.254/x", "https://93.184.215.14/x",
    "https://[::1]/x", "https://[2606:4700::1111]/x", "https://[::ffff:127.0.0.1]/x", "https://2130706433/x",
    "https://0x7f.1/x", "https://127.1/x", "https://0177.0.0.1/x", "https://localhost/x", "https://intranet/x",
    "https://APP.example/x", "https://app.example./x", "https://.example/x", "https://a..example/x",
    "https://app.example:0/x", "https://app.example:22/x", "https://app.example:80/x", "https://app.example:99999/x",
    "https://app.example:6379/x", "https://app.example:/x", "https://\u0430pp.example/x", "https://app.example/é",
    "https://-a.example/x", "https://a_b.example/x", "https:///x", "https://", "https:/app.example/x",
    "https://app.example/" + "x" * 230, "https://app.example:443x/y", "https://①②⑦.example/x",
]  # fmt: skip


@pytest.mark.parametrize("content", ALL.values(), ids=ALL.keys())
def test_a_hostile_document_is_refused_and_nothing_of_it_is_kept(world: DocumentWorld, content: Content) -> None:
    world.serve(content)
    answer = world.ask()
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "could not be identified" in page
    assert "Location" not in answer
    for markup in ("<script>alert", "onload=", "javascript:", "hunter2"):
        assert markup not in page
    assert not Client.objects.filter(client_id=URL).exists()
    event = Event.objects.get(kind="oauth:document:fetched")
    assert event.reason.startswith("document_") or event.reason == "answer_too_large"
    assert event.client_id == ""
    assert {host for host, _port in world.internet.connected} == {"93.184.215.14"}


def test_there_are_a_hundred_of_them() -> None:
    assert len(ALL) >= 100


@pytest.mark.parametrize("url", ADDRESSES)
def test_g01_an_address_that_could_be_read_in_two_ways_asks_nobody(world: DocumentWorld, url: str) -> None:
    for browser in (world.browser, Browser()):
        answer = world.ask(url, browser=browser)
        assert answer.status_code == 400
    assert (world.internet.resolved, world.internet.connected) == ([], [])
    if looks_like_address(url):
        with pytest.raises(BadAddressError):
            check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://app.example/x",
        "https://app.example/a/b.json",
        "https://a.b.c.example:8443/x",
        "https://xn--80ak6aa92e.com/x",
        "https://app.example/a-b_c~d.e/f",
        "https://app.example/.well-known/x",
        "https://app.example/%20",
    ],
)
def test_honest_addresses_are_read(url: str) -> None:
    check_address(url)


@pytest.mark.parametrize(
    "name",
    [
        "<b>Bold</b>",
        '"><script>alert(1)</script>',
        "{{ 7 * 7 }}",
        "{% debug %}",
        "Robert'); DROP TABLE",
        "=cmd()",
        "${x}",
    ],
)
def test_markup_in_a_name_is_only_text(world: DocumentWorld, name: str) -> None:
    world.serve(document(client_name=name))
    page = world.ask().content.decode()
    assert "<script>alert" not in page
    assert "<b>Bold" not in page
    assert "49" not in page.partition("<h1>")[2].partition("</h1>")[0]


def test_what_is_dangerous_beside_what_is_good_is_left_out(world: DocumentWorld) -> None:
    world.serve(document(redirect_uris=["javascript:alert(1)", "http://evil.example/", "https://app.example/callback"]))
    assert world.ask().status_code == 200
    assert Client.objects.get(client_id=URL).redirect_uris == "https://app.example/callback"


def test_unknown_fields_are_kept_and_never_shown_as_markup(world: DocumentWorld) -> None:
    world.serve(document(x_html="<script>alert(1)</script>", nested={"a": [None, True, 1.5, "\u202e"]}))
    assert "<script>alert" not in world.ask().content.decode()
