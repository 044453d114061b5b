"""A client whose id is the address of its document arrives, is remembered, changes, and loses its host."""

import json
from typing import Any

import pytest
from django.test import Client as Browser

from audit.ledger.models import Event
from oauth_provider.clients.models import Approval, Client, Origin, Trust
from oauth_provider.connections.models import Connection
from oauth_provider.registration.documents.models import DocumentVersion, MetadataDocument, Source
from tests.assertions import Signer
from tests.oauth_provider.registration.documents.world import (
    CALLBACK,
    URL,
    DocumentWorld,
    client_of,
    document,
    pass_time,
    stored,
)

SIGNER = Signer(client_id=URL, algorithm="ES256")
KEYED = {"token_endpoint_auth_method": "private_key_jwt", "jwks": SIGNER.key_set}


def events(kind: str = "oauth:document:fetched") -> list[tuple[str, str]]:
    return list(Event.objects.filter(kind=kind).order_by("timestamp").values_list("decision", "reason"))


def test_a_client_arrives_gets_tokens_and_refreshes_them(world: DocumentWorld) -> None:
    world.serve(document(client_uri="https://app.example", logo_uri="https://169.254.169.254/logo.svg"))
    tokens = world.redeem(world.code()).json()
    again = world.token(grant_type="refresh_token", client_id=URL, refresh_token=tokens["refresh_token"])
    assert again.status_code == 200
    client = client_of()
    assert (client.origin, client.approval, client.trust) == (Origin.DOCUMENT, Approval.APPROVED, Trust.CLAIMED)
    assert (client.name, client.redirect_uris, client.client_type) == ("Example App", CALLBACK, "public")
    assert client.allowed_scopes.split() == ["tool:read", "tool:write"]
    assert client.first_consented_at is not None
    assert len(world.internet.visits) == 1, "one document, no logo"
    assert events() == [("allow", "")]
    assert events("oauth:client:registered") == [("allow", "")]


def test_the_page_says_who_describes_it_and_where_it_returns(world: DocumentWorld) -> None:
    world.serve(document(client_name='<script>alert("x")</script>', redirect_uris=["https://other.example/cb"]))
    page = world.ask(redirect_uri="https://other.example/cb").content.decode()
    assert "<bdi>app.example</bdi>" in page
    assert "<bdi>other.example</bdi>" in page
    assert "Claims to be from app.example" in page
    assert "<script>alert" not in page
    assert "Nobody can check" not in page


@pytest.mark.parametrize("loopback", ["http://127.0.0.1/cb", "http://localhost:3000/cb", "http://[::1]/cb"])
def test_c13_a_client_of_this_computer_only_comes_with_a_warning(world: DocumentWorld, loopback: str) -> None:
    world.serve(document(redirect_uris=[loopback]))
    assert "Nobody can check that it really is “Example App”" in world.ask(redirect_uri=loopback).content.decode()


def test_identity_is_proven_by_a_key(world: DocumentWorld) -> None:
    world.serve(document(**KEYED))
    assert "Identity proven by app.example" in world.ask().content.decode()
    code = world.code()
    assert world.redeem(code).status_code == 401
    assert world.redeem(code, **SIGNER.proof()).status_code == 200
    client = client_of()
    assert (client.client_type, client.token_endpoint_auth_method) == ("confidential", "private_key_jwt")


@pytest.mark.parametrize("methods", [["private_key_jwt"], ["private_key_jwt", "none"]])
def test_a_key_that_may_be_left_out_proves_nothing_of_a_program_on_this_computer(
    world: DocumentWorld, methods: list[str]
) -> None:
    here = "http://127.0.0.1/cb"
    uris = [CALLBACK, here]
    world.serve(document(**KEYED, redirect_uris=uris, token_endpoint_auth_methods_supported=methods))
    is_proven = "Identity proven by app.example" in world.ask(redirect_uri=here).content.decode()
    assert is_proven is ("none" not in methods)
    assert "Identity proven by app.example" in world.ask().content.decode()


@pytest.mark.parametrize("named", [{"client_id": URL}, {}])
def test_a_key_that_the_document_no_longer_has_proves_nothing(world: DocumentWorld, named: dict[str, str]) -> None:
    served = world.serve(document(**KEYED))
    tokens = world.redeem(world.code(), **SIGNER.proof()).json()
    newer = Signer(client_id=URL, algorithm="ES256", kid="2")
    served.body = json.dumps(document(**KEYED | {"jwks": newer.key_set})).encode()
    pass_time(hours=2)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **named}
    assert world.token(**refresh, **SIGNER.proof()).status_code == 401
    assert world.token(**refresh, **newer.proof()).status_code == 200
    pass_time(days=30)
    served.status = 404
    assert world.token(**refresh, **newer.proof()).status_code == 401


def test_g14_nobody_is_asked_for_a_stranger(world: DocumentWorld) -> None:
    world.serve()
    answer = world.ask(browser=Browser())
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")
    assert (world.internet.resolved, Client.objects.filter(client_id=URL).exists()) == ([], False)


def test_a_stranger_and_a_known_client_ask_nobody_either(world: DocumentWorld) -> None:
    world.serve()
    world.ask()
    pass_time(days=30)
    assert world.ask(browser=Browser()).status_code == 302
    assert len(world.internet.visits) == 1


# How long a copy counts


def test_a_fresh_copy_is_not_asked_for_again_and_an_old_one_by_its_validators(world: DocumentWorld) -> None:
    served = world.serve(headers={"etag": '"1"', "last_modified": "Wed, 25 Nov 2026 10:00:00 GMT"})
    world.ask()
    world.ask()
    assert len(world.internet.visits) == 1
    pass_time(hours=2)
    world.ask()
    last = world.internet.visits[-1].headers
    assert (last["if-none-match"], last["if-modified-since"]) == ('"1"', "Wed, 25 Nov 2026 10:00:00 GMT")
    assert events()[-1] == ("allow", "not_modified")
    served.headers["etag"] = '"2"'
    served.body = json.dumps(document(client_name="Renamed")).encode()
    pass_time(hours=2)
    world.ask()
    assert client_of().name == "Renamed"


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 3600),
        ("max-age=0", 300),
        ("no-store", 300),
        ("private, no-cache, max-age=7200", 300),
        ("public, max-age=7200", 7200),
        ("max-age=31536000", 86_400),
        ("max-age=banana", 3600),
    ],
)
def test_how_long_a_copy_counts_is_the_hosts_to_say_within_bounds(
    world: DocumentWorld, cache_control: str, seconds: int
) -> None:
    world.serve(headers={"cache_control": cache_control} if cache_control else {})
    world.ask()
    found = stored()
    assert round((found.fresh_until - found.fetched_at).total_seconds()) == seconds


FAULTS: dict[str, dict[str, Any]] = {
    "gone": {"status": 404},
    "broken": {"status": 500},
    "moved": {"status": 302, "headers": {"location": "https://127.0.0.1/"}},
    "forbidden": {"status": 403, "headers": {"content_type": "text/html"}},
    "a web page": {"headers": {"content_type": "text/html"}},
    "no JSON": {"body": b"<html>"},
    "another client's": {"body": json.dumps(document(client_id="https://evil.example/x")).encode()},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_while_the_host_says_nothing_usable_the_old_copy_counts_for_a_day(
    world: DocumentWorld, fault: dict[str, Any]
) -> None:
    served = world.serve()
    world.ask()
    for name, value in fault.items():
        setattr(served, name, value)
    pass_time(hours=2)
    assert world.ask().status_code == 200
    assert world.ask().status_code == 200
    assert len(world.internet.visits) == 2, "a failure is not repeated at once"
    assert stored().failures == 1
    assert DocumentVersion.objects.count() == 1
    pass_time(hours=23)
    refused = world.ask()
    assert refused.status_code == 400
    assert "could not be identified" in refused.content.decode()
    assert world.token(grant_type="refresh_token", client_id=URL, refresh_token="x").status_code == 401


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_nothing_wrong_becomes_a_client(world: DocumentWorld, fault: dict[str, Any]) -> None:
    served = world.serve()
    for name, value in fault.items():
        setattr(served, name, value)
    assert world.ask().status_code == 400
    assert world.ask().status_code == 400
    assert len(world.internet.visits) == 1, "a failure is not repeated at once"
    assert not MetadataDocument.objects.exists()
    ((decision, _reason),) = events()
    assert decision in ("deny", "error")


def test_g15_every_failure_of_the_network_reads_the_same(world: DocumentWorld) -> None:
    world.internet.leads("inside.example", ["10.0.0.1"])
    world.internet.leads("closed.example", ["93.184.215.99"])
    world.internet.host("tls.example", lambda visit: visit.answer(b"{}"), certificate_for="other.example")
    pages = {
        world.ask(f"https://{name}.example/x").content.decode().partition("<main")[2].partition("</main>")[0]
        for name in ("inside", "closed", "tls", "nowhere")
    }
    assert len(pages) == 1
    assert {reason for _decision, reason in events()} == {
        "address_refused",
        "connection_failed",
        "tls_failed",
        "name_unresolved",
    }
    assert world.internet.connected == [("93.184.215.99", 443), ("93.184.215.14", 443)]


# Changes


def test_g13_an_address_that_was_taken_out_is_no_longer_returned_to(world: DocumentWorld) -> None:
    other = "https://old.example/cb"
    served = world.serve(document(redirect_uris=[CALLBACK, other]))
    for uri in (CALLBACK, other):
        assert world.redeem(world.code(redirect_uri=uri), redirect_uri=uri).status_code == 200
    served.body = json.dumps(document()).encode()
    pass_time(hours=2)
    refused = world.ask(redirect_uri=other)
    assert refused.status_code == 400
    assert "Location" not in refused
    live = Connection.objects.filter(revoked_at=None).values_list("redirect_host", flat=True)
    assert list(live) == ["app.example"]
    newest = stored().versions.first()
    assert newest is not None
    assert newest.digest == stored().digest
    assert DocumentVersion.objects.count() == 2
    changed = Event.objects.get(kind="oauth:client:changed")
    assert changed.fields == ["redirect_uris"]


@pytest.mark.parametrize(("before", "after"), [({}, KEYED), (KEYED, {})], ids=["to-a-key", "to-nothing"])
def test_g13_a_client_that_proves_itself_otherwise_is_connected_anew(
    world: DocumentWorld, before: dict[str, Any], after: dict[str, Any]
) -> None:
    served = world.serve(document(**before))
    proof = SIGNER.proof() if before else {}
    tokens = world.redeem(world.code(), **proof).json()
    served.body = json.dumps(document(**after)).encode()
    pass_time(hours=2)
    world.ask()
    proof = SIGNER.proof() if after else {}
    answer = world.token(grant_type="refresh_token", client_id=URL, refresh_token=tokens["refresh_token"], **proof)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("change", "kept"), [({"client_uri": None, "contacts": ["a@b.example"]}, True), ({"client_name": "Another"}, False)]
)
def test_what_staff_found_out_counts_while_it_is_the_same_program(
    world: DocumentWorld, change: dict[str, Any], kept: bool
) -> None:
    served = world.serve()
    world.ask()
    Client.objects.filter(client_id=URL).update(trust=Trust.VERIFIED, trust_reviewed_at=stored().fetched_at)
    served.body = json.dumps(document(**change)).encode()
    pass_time(hours=2)
    world.ask()
    assert client_of().trust == (Trust.VERIFIED if kept else Trust.CLAIMED)


def test_a_document_written_otherwise_is_the_same(world: DocumentWorld) -> None:
    served = world.serve()
    world.ask()
    served.body = json.dumps(dict(reversed(document().items())), indent=4).encode()
    pass_time(hours=2)
    world.ask()
    assert DocumentVersion.objects.count() == 1


def test_the_token_endpoint_notices_as_well(world: DocumentWorld) -> None:
    served = world.serve()
    tokens = world.redeem(world.code()).json()
    served.body = json.dumps(document(client_name="Renamed")).encode()
    pass_time(hours=2)
    assert (
        world.token(grant_type="refresh_token", client_id=URL, refresh_token=tokens["refresh_token"]).status_code == 200
    )
    assert client_of().name == "Renamed"


def test_at_the_token_endpoint_nobody_is_asked_about_a_stranger(world: DocumentWorld) -> None:
    world.serve()
    answer = world.token(grant_type="refresh_token", client_id=URL, refresh_token="x")
    assert (answer.status_code, world.internet.resolved) == (401, [])


# Copies that came with the server

CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata"
CLAUDE_CALLBACK = "https://claude.ai/api/mcp/auth_callback"


def test_a_known_document_behind_a_wall_is_known_by_its_copy(world: DocumentWorld) -> None:
    world.serve(b"<html>", host="claude.ai", status=403, headers={"content_type": "text/html"})
    assert (
        world.redeem(world.code(CLAUDE, redirect_uri=CLAUDE_CALLBACK), CLAUDE, redirect_uri=CLAUDE_CALLBACK).status_code
        == 200
    )
    assert stored(CLAUDE).source == Source.PINNED
    assert events() == [("error", "document_not_served"), ("allow", "pinned_copy_used")]
    pass_time(url=CLAUDE, days=30)
    assert world.ask(CLAUDE, redirect_uri=CLAUDE_CALLBACK).status_code == 200, "it has no end"


def test_what_the_host_itself_says_counts_more_and_the_difference_is_noted(world: DocumentWorld) -> None:
    served = world.serve(b"<html>", host="claude.ai", status=403)
    world.ask(CLAUDE, redirect_uri=CLAUDE_CALLBACK)
    served.status, served.body = 200, json.dumps(document(client_id=CLAUDE, client_name="Claude 2")).encode()
    pass_time(url=CLAUDE, hours=2)
    world.ask(CLAUDE)
    found = stored(CLAUDE)
    assert (found.source, found.differs_from_pinned, client_of(CLAUDE).name) == (Source.FETCHED, True, "Claude 2")
    assert events()[-1] == ("allow", "differs_from_pinned")


@pytest.mark.parametrize(
    "url",
    [
        "https://claude.ai/oauth/mcp-oauth-client-metadata2",
        "https://claude.ai/other",
        "https://www.claude.ai/oauth/mcp-oauth-client-metadata",
    ],
)
def test_copies_are_known_by_their_whole_address(world: DocumentWorld, url: str) -> None:
    world.serve(b"", host="claude.ai", status=403)
    assert world.ask(url, redirect_uri=CLAUDE_CALLBACK).status_code == 400
