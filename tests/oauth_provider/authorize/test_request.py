"""Attacks on the authorization request (RFC 6749, 7636, 8252, 8707, 9207, 9700)."""

import pytest
from django.conf import settings
from django.test import Client as Browser

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.scopes.models import Scope
from tests.oauth_provider.authorize.world import Answer, World

REFUSED = "oauth:authorization:refused"

NOT_EXACT = {
    "A01-unregistered": "https://evil",
    "A02-unregistered": "https://evil/",
    "A03-trailing-slash": "https://c.example/cb/",
    "A04-path-case": "https://c.example/CB",
    "A05-host-case": "https://C.example/cb",
    "A06-default-port": "https://c.example:443/cb",
    "A07-userinfo": "https://c.example@evil/cb",
    "A08-suffix": "https://c.example.evil/cb",
    "A09-dots": "https://c.example/cb/../x",
    "A09-encoded-dots": "https://c.example/x/%2e%2e/cb",
    "A10-downgrade": "http://c.example/cb",
    "A11-javascript": "javascript:alert(1)",
    "A11-data": "data:text/html,x",
    "A11-vbscript": "vbscript:x",
    "A11-file": "file:///etc/passwd",
    "A11-blob": "blob:https://c.example/cb",
    "A12-protocol-relative": "//evil",
    "A12-backslash": "https://c.example/cb\\@evil",
    "A14-v6": "http://[::1]:5/cb",
    "A14-localhost": "http://localhost:5/cb",
    "A14-127.0.0.2": "http://127.0.0.2/cb",
    "A14-userinfo": "http://127.0.0.1:5@evil/cb",
    "A14-query": "http://127.0.0.1:5/cb?x=1",
    "A14-https": "https://127.0.0.1:5/cb",
    "A16-other-path": "cursor://anysphere.cursor-mcp/oauth/callback2",
    "fragment": "https://c.example/cb#x",
    "space": "https://c.example/cb ",
}


@pytest.mark.parametrize("uri", NOT_EXACT.values(), ids=NOT_EXACT.keys())
def test_a_redirect_uri_that_is_not_exact_gets_a_local_page(world: World, uri: str) -> None:
    before = Event.objects.filter(kind=REFUSED).count()
    response = world.ask(redirect_uri=uri)
    assert response.status_code == 400
    assert "Location" not in response
    assert uri not in response.content.decode()
    assert Event.objects.filter(kind=REFUSED).count() == before + 1


def test_a01_an_unknown_client_gets_a_local_page(world: World) -> None:
    response = world.ask(client_id="nope", redirect_uri="https://evil")
    assert response.status_code == 400
    assert b"evil" not in response.content


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:9999/cb",
        "http://localhost:55564/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ],
    ids=["registered", "A13-any-port", "A15-claude-code", "A16-private-scheme"],
)
def test_a_native_app_gets_the_consent_page(world: World, uri: str) -> None:
    response = world.ask(redirect_uri=uri)
    assert response.status_code == 200
    assert uri in response.content.decode()


@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:8787/cb"])
def test_a13_only_the_port_of_a_loopback_address_is_free_and_only_for_public_clients(world: World, uri: str) -> None:
    literal, path = uri.partition("//")[2].rpartition("/")[0], "/cb"
    literal = literal.removesuffix(":8787")
    client = type(world.public).objects.get(pk=world.public.pk)
    client.redirect_uris = uri
    client.save()
    assert world.ask(redirect_uri=f"http://{literal}:61000{path}").status_code == 200
    assert world.ask(redirect_uri=f"http://{literal}:61000/other").status_code == 400
    others = {"127.0.0.1", "[::1]", "localhost", "127.0.0.2", "localhost.evil.example"} - {literal}
    for other in others:
        assert world.ask(redirect_uri=f"http://{other}:61000{path}").status_code == 400
    client.client_type = client.CLIENT_CONFIDENTIAL
    client.save()
    assert world.ask(redirect_uri=f"http://{literal}:61000{path}").status_code == 400
    assert world.ask(redirect_uri=uri).status_code == 200


def test_a17_a_stranger_is_not_redirected_to_the_client_by_an_error(world: World) -> None:
    world.browser.logout()
    response = world.ask(scope="nope")
    assert response["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize(("signed_in", "error"), [(False, "login_required"), (True, "consent_required")])
def test_a18_prompt_none_is_answered_at_the_registered_uri(
    world: World, answer: Answer, signed_in: bool, error: str
) -> None:
    if not signed_in:
        world.browser.logout()
    response = world.ask(prompt="none")
    assert response["Location"].startswith("https://c.example/cb?")
    assert answer(response)["error"] == error
    assert answer(response)["iss"] == settings.PUBLIC_BASE_URL


def test_a20_the_page_leaks_no_referrer_and_loads_nothing_foreign(world: World) -> None:
    response = world.ask()
    assert response["Referrer-Policy"] == "same-origin"
    html = response.content.decode()
    assert 'src="http' not in html
    assert "<script" not in html
    assert "style=" not in html


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "code_challenge", "anything"])
def test_a22_a23_a24_a_repeated_parameter_gets_a_local_page(world: World, name: str) -> None:
    response = world.browser.get(world.url() + f"&{name}=x&{name}=y")
    assert response.status_code == 400
    assert "Location" not in response


REDIRECTED = {
    "A21-fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "A21-form-post": ({"response_mode": "form_post"}, "invalid_request"),
    "A25-request": ({"request": "eyJ"}, "request_not_supported"),
    "A25-request-uri": ({"request_uri": "http://169.254.169.254/"}, "request_uri_not_supported"),
    "A26-implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "A26-hybrid": ({"response_type": "id_token token"}, "unsupported_response_type"),
    "A26-missing": ({"response_type": None}, "invalid_request"),
    "A27-unknown-scope": ({"scope": "nope"}, "invalid_scope"),
    "A27-one-unknown-scope": ({"scope": "tool:read nope"}, "invalid_scope"),
    "A28-forbidden-scope": ({"scope": "other:read"}, "invalid_scope"),
    "B01-no-pkce": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "B02-plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "B03-no-method": ({"code_challenge_method": None}, "invalid_request"),
    "B03-method-alone": ({"code_challenge": None}, "invalid_request"),
    "short-challenge": ({"code_challenge": "a" * 42}, "invalid_request"),
    "long-challenge": ({"code_challenge": "a" * 129}, "invalid_request"),
    "plus-in-challenge": ({"code_challenge": "a" * 42 + "+"}, "invalid_request"),
    "unknown-resource": ({"resource": "https://evil.example/api"}, "invalid_target"),
}


@pytest.mark.parametrize(("changes", "error"), REDIRECTED.values(), ids=REDIRECTED.keys())
def test_a_bad_request_is_answered_to_the_client_with_iss(
    world: World, answer: Answer, changes: dict[str, str | None], error: str
) -> None:
    before = Event.objects.filter(kind=REFUSED).count()
    response = world.ask(**changes)
    assert response.status_code == 302
    assert response["Location"].startswith("https://c.example/cb?")
    got = answer(response)
    assert (got["error"], got["state"], got["iss"]) == (error, "s t/1", settings.PUBLIC_BASE_URL)
    assert Event.objects.filter(kind=REFUSED).count() == before + 1


def test_a28_of_several_scopes_those_it_may_not_have_are_left_out(world: World) -> None:
    assert world.open(scope="other:read tool:read").scopes == "tool:read"
    Scope.objects.filter(name="tool:write").update(enabled=False)
    assert world.open(scope="tool:read tool:write").scopes == "tool:read"


def test_several_resources_are_an_invalid_target(world: World, answer: Answer) -> None:
    twice = "&resource=http://a.example/x&resource=http://b.example/y"
    assert answer(world.browser.get(world.url() + twice))["error"] == "invalid_target"


def test_a29_a_bearer_token_is_not_a_session(world: World) -> None:
    response = Browser().get(world.url(), headers={"authorization": "Bearer gh_at_x"})
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("value", ["x\x00y", "x" * 5000], ids=["nul", "long"])
def test_a_hostile_state_gets_a_local_page(world: World, value: str) -> None:
    assert world.ask(state=value).status_code == 400


def test_a_gpt_action_may_leave_pkce_out_but_not_half_of_it(world: World, answer: Answer) -> None:
    gpt = {
        "client_id": world.gpt.client_id,
        "redirect_uri": "https://chatgpt.com/aip/g-demo/oauth/callback",
        "code_challenge": None,
    }
    assert world.ask(**gpt, code_challenge_method=None).status_code == 200
    assert answer(world.ask(**gpt))["error"] == "invalid_request"


def test_without_scope_only_what_reads_is_asked_for(world: World) -> None:
    assert world.open(scope=None).scopes == "tool:read"


def test_without_scope_the_clients_defaults_are_asked_for(world: World) -> None:
    world.public.default_scopes = "tool:write"
    world.public.save()
    assert world.open(scope=None).scopes == "tool:write"


def test_a_suspended_client_gets_a_local_page(world: World) -> None:
    type(world.public).objects.filter(pk=world.public.pk).update(suspended_at="2026-01-01T00:00:00Z")
    response = world.ask()
    assert response.status_code == 403
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    ("approval", "reason", "words"),
    [
        ("pending", "client_waits_for_approval", b"waits for approval"),
        ("declined", "client_declined", b"did not let this application in"),
    ],
)
def test_a_client_that_staff_did_not_let_in_gets_a_local_page(
    world: World, approval: str, reason: str, words: bytes
) -> None:
    type(world.public).objects.filter(pk=world.public.pk).update(approval=approval)
    response = world.ask()
    assert response.status_code == 403
    assert words in response.content
    assert Event.objects.filter(kind=REFUSED).latest("pk").reason == reason
    assert not Interaction.objects.exists()


def test_the_alias_shows_the_same_page(world: World) -> None:
    for prefix in settings.OAUTH_ALIAS_PREFIXES:
        response = world.browser.get(world.url().replace("/oauth/authorize", f"{prefix}/authorize"))
        assert response.status_code == 200
        assert b'action="/oauth/authorize"' in response.content


@pytest.mark.parametrize(
    ("changes", "reason", "is_named"),
    [
        ({"client_id": "somebody"}, "unknown_client", False),
        ({"client_id": "some\x00body"}, "nul_in_parameter", False),
        ({"state": "x" * 5000}, "parameter_too_long", False),
        ({"redirect_uri": "https://evil.example/"}, "unregistered_redirect_uri", True),
    ],
)
def test_only_a_client_that_exists_is_named_in_the_ledger(
    world: World, changes: dict[str, str], reason: str, is_named: bool
) -> None:
    world.ask(**changes)
    event = Event.objects.get(kind=REFUSED)
    assert (event.reason, event.client_id) == (reason, world.public.client_id if is_named else "")
