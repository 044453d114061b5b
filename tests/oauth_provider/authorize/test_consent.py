"""Attacks on the consent page: forgery, framing, swapping, silence (RFC 9700 sections 4.7 and 4.16)."""

import hashlib
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.connections.models import Connection
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.models import AuthorizationCode
from tests.oauth_provider.authorize.world import Answer, World

Grant = get_grant_model()


def test_b14_allowing_sends_a_code_with_state_and_iss(world: World, answer: Answer) -> None:
    response = world.decide(world.open())
    assert response.status_code == 303
    got = answer(response)
    assert set(got) == {"code", "state", "iss"}
    assert (got["state"], got["iss"]) == ("s t/1", settings.PUBLIC_BASE_URL)


def test_the_code_is_stored_only_as_a_checksum(world: World, answer: Answer) -> None:
    code = answer(world.decide(world.open()))["code"]
    checksum = hashlib.sha256(code.encode()).hexdigest()
    grant = Grant.objects.get()
    assert grant.code == checksum
    assert grant.resource == [world.resource.identifier]
    assert timedelta(seconds=50) < grant.expires - timezone.now() <= timedelta(seconds=60)
    assert AuthorizationCode.objects.get().checksum == checksum


def test_c16_only_the_ticked_permission_is_given(world: World) -> None:
    world.decide(world.open(), scope=["tool:write"])
    assert Connection.objects.get().scopes == "tool:write"
    assert Grant.objects.get().scope == "tool:write"


def test_approving_again_replaces_the_permissions_of_the_one_connection(world: World) -> None:
    world.decide(world.open(), scope=["tool:read", "tool:write"])
    world.decide(world.open(), scope=["tool:read"])
    assert Connection.objects.get().scopes == "tool:read"


@pytest.mark.parametrize(("decision", "scope"), [("deny", ["tool:read"]), ("allow", []), ("", ["tool:read"])])
def test_b15_no_permission_without_a_click(world: World, answer: Answer, decision: str, scope: list[str]) -> None:
    response = world.decide(world.open(), decision, scope)
    assert answer(response)["error"] == "access_denied"
    assert answer(response)["iss"] == settings.PUBLIC_BASE_URL
    assert not Grant.objects.exists()
    assert not Connection.objects.exists()


def test_c01_a_post_without_the_csrf_token_is_refused(world: World) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(world.ana, backend="django.contrib.auth.backends.ModelBackend")
    strict.get(world.url())
    interaction = Interaction.objects.latest("created_at")
    response = strict.post(
        "/oauth/authorize", {"interaction": interaction.pk, "decision": "allow", "scope": "tool:read"}
    )
    assert response.status_code == 403
    assert not Grant.objects.exists()


def test_c02_c03_the_page_cannot_be_framed_or_cached(world: World) -> None:
    response = world.ask()
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://c.example/cb", "'self' https://c.example"),
        ("http://127.0.0.1:9999/cb", "'self' http://127.0.0.1:9999"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "'self' cursor:"),
    ],
)
def test_c15_the_browser_may_follow_the_answer_to_the_client(world: World, uri: str, source: str) -> None:
    policy = world.ask(redirect_uri=uri)["Content-Security-Policy"]
    assert f"form-action {source}" in policy


def test_c04_c05_swapped_client_and_resource_are_not_even_read(world: World, answer: Answer) -> None:
    interaction = world.open()
    world.browser.post(
        "/oauth/authorize",
        {
            "interaction": interaction.pk,
            "decision": "allow",
            "scope": "tool:read",
            "client_id": world.gpt.client_id,
            "redirect_uri": "https://evil.example/",
            "resource": "https://evil.example/api",
        },
    )
    grant = Grant.objects.get()
    assert (grant.application_id, grant.redirect_uri) == (world.public.pk, "https://c.example/cb")
    assert grant.resource == [world.resource.identifier]


@pytest.mark.parametrize("key", ["", "x", "a" * 43, "\x00" * 43])
def test_c06_a_post_without_a_page_is_refused_locally(world: World, key: str) -> None:
    response = world.decide(key)
    assert response.status_code == 400
    assert "Location" not in response


def test_c07_the_page_of_another_person_is_refused(world: World) -> None:
    interaction = world.open()
    world.browser.force_login(world.bruno, backend="django.contrib.auth.backends.ModelBackend")
    assert world.decide(interaction).status_code == 403
    assert not Grant.objects.exists()


def test_c07_the_page_of_another_session_of_the_same_person_is_refused(world: World) -> None:
    interaction = world.open()
    world.browser.logout()
    world.browser.force_login(world.ana, backend="django.contrib.auth.backends.ModelBackend")
    assert world.decide(interaction).status_code == 403


@pytest.mark.parametrize("uri", ["https://c.example/cb", "http://127.0.0.1:9999/cb"], ids=["C08", "C09"])
def test_no_parameter_approves_silently(world: World, uri: str) -> None:
    world.decide(world.open())
    response = world.ask(redirect_uri=uri, approval_prompt="auto")
    assert response.status_code == 200
    assert b'name="decision"' in response.content


def test_a_second_submission_gets_a_friendly_page_and_no_second_code(world: World) -> None:
    interaction = world.open()
    world.decide(interaction)
    response = world.decide(interaction)
    assert response.status_code == 409
    assert b"already" in response.content
    # She may have allowed it before
    assert b"not connected" not in response.content
    assert Grant.objects.count() == 1


def test_a_page_older_than_ten_minutes_is_refused(world: World) -> None:
    interaction = world.open()
    Interaction.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert world.decide(interaction).status_code == 400


def test_a_scope_that_was_not_shown_is_refused(world: World) -> None:
    assert world.decide(world.open(scope="tool:read"), scope=["tool:read", "tool:write"]).status_code == 400
    assert not Grant.objects.exists()


def test_a_client_suspended_while_the_page_was_open_gets_nothing(world: World) -> None:
    interaction = world.open()
    type(world.public).objects.update(suspended_at=timezone.now())
    assert world.decide(interaction).status_code == 403


def test_the_first_consent_ends_the_quarantine_and_later_ones_change_nothing(world: World) -> None:
    clients = type(world.public).objects
    clients.update(origin="dynamic")
    assert clients.get(pk=world.public.pk).is_quarantined
    world.decide(world.open(), "deny")
    assert clients.get(pk=world.public.pk).is_quarantined
    world.decide(world.open())
    first = clients.get(pk=world.public.pk)
    assert not first.is_quarantined
    world.decide(world.open())
    assert clients.get(pk=world.public.pk).first_consented_at == first.first_consented_at


def test_a_client_declined_while_the_page_was_open_gets_nothing(world: World) -> None:
    interaction = world.open()
    type(world.public).objects.update(approval="declined")
    assert world.decide(interaction).status_code == 403


def test_a_scope_disabled_while_the_page_was_open_is_not_given(world: World) -> None:
    interaction = world.open()
    Scope.objects.filter(name="tool:read").update(enabled=False)
    assert world.decide(interaction).status_code == 400
    assert Interaction.objects.get().decided_at is None


def test_a_deactivated_person_cannot_allow(world: World) -> None:
    interaction = world.open()
    User.objects.update(is_active=False)
    assert world.decide(interaction)["Location"].startswith("/accounts/login/")
    assert not Grant.objects.exists()


def test_c12_the_page_shows_where_it_leads_and_escapes_the_name(world: World) -> None:
    html = world.ask().content.decode()
    assert "<bdi>c.example</bdi>" in html
    assert "Unverified" in html
    assert "Desk &lt;b&gt;Assistant" in html


def test_what_acts_starts_unticked_and_what_reads_ticked(world: World) -> None:
    html = world.ask().content.decode()
    assert 'value="tool:read" checked' in html
    assert 'value="tool:write">' in html


def test_the_page_speaks_the_language_the_client_asks_for(world: World) -> None:
    html = world.ask(ui_locales="xx pt-BR").content.decode()
    assert '<html lang="pt-br"' in html
    assert "quer agir em seu nome" in html
    assert "Read with tools (pt)" in html


def test_each_step_is_one_event(world: World) -> None:
    world.decide(world.open())
    world.decide(world.open(), "deny")
    kinds = list(Event.objects.filter(kind__startswith="oauth:authorization").values_list("kind", flat=True))
    assert sorted(kinds) == [
        "oauth:authorization:allowed",
        "oauth:authorization:denied",
        "oauth:authorization:shown",
        "oauth:authorization:shown",
    ]


def test_an_answer_after_signing_out_leads_to_the_sign_in_page_and_then_to_connected_apps(world: World) -> None:
    interaction = world.open()
    world.browser.logout()
    assert world.decide(interaction)["Location"] == "/accounts/login/?next=%2Fconnected-apps%2F"
    assert not Grant.objects.exists()


def test_a_refused_answer_says_what_helps_and_names_the_client_in_the_ledger(world: World) -> None:
    interaction = world.open()
    Interaction.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert b"Go back to the application and connect again." in world.decide(interaction).content
    event = Event.objects.get(kind="oauth:authorization:refused")
    assert (event.reason, event.client_id) == ("expired", world.public.client_id)
