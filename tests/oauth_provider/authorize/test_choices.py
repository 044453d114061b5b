"""What a person chooses on the consent page: for how long, what is new, what stays; and the record of its words."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.connections.models import Connection
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.oauth_provider.authorize.world import Answer, World

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BOTH = ("tool:read", "tool:write")


def redeem(world: World, code: str) -> dict[str, str]:
    """The tokens of a code."""
    form = f"grant_type=authorization_code&client_id={world.public.client_id}&code={code}&code_verifier={VERIFIER}"
    form += f"&redirect_uri={world.defaults['redirect_uri']}"
    response = world.browser.post("/oauth/token", form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200, response.content
    body: dict[str, str] = response.json()
    return body


def refresh(world: World, token: str) -> int:
    """The status of a refresh."""
    form = f"grant_type=refresh_token&client_id={world.public.client_id}&refresh_token={token}"
    return int(world.browser.post("/oauth/token", form, content_type="application/x-www-form-urlencoded").status_code)


@pytest.mark.parametrize(("duration", "days"), [("1-day", 1), ("30-days", 30), ("", 30)])
def test_the_chosen_duration_is_when_the_connection_ends(world: World, duration: str, days: int) -> None:
    world.decide(world.open(), duration=duration)
    left = (Connection.objects.get().expires_at or timezone.now()) - timezone.now()
    assert timedelta(days=days) - timedelta(minutes=1) < left <= timedelta(days=days)


def test_until_revoked_has_no_end(world: World) -> None:
    world.decide(world.open(), duration="until-revoked")
    assert Connection.objects.get().expires_at is None


def test_a_duration_that_was_not_offered_is_refused(world: World) -> None:
    assert world.decide(world.open(), duration="forever").status_code == 400
    assert not Connection.objects.exists()
    assert Event.objects.get(kind="oauth:authorization:refused").reason == "duration_not_shown"


def test_the_page_offers_thirty_days_unless_more_was_chosen_before(world: World) -> None:
    assert 'value="30-days" checked' in world.ask().content.decode()
    world.decide(world.open(), duration="until-revoked")
    assert 'value="until-revoked" checked' in world.ask().content.decode()


def test_when_it_is_over_calls_refreshes_and_codes_are_refused(world: World, answer: Answer) -> None:
    tokens = redeem(world, answer(world.decide(world.open(), duration="1-day"))["code"])
    connection = Connection.objects.get()
    assert connection.expires_at is not None
    assert verify_access_token(tokens["access_token"]).expires_at <= connection.expires_at.timestamp()
    Connection.objects.update(expires_at=timezone.now())
    with pytest.raises(InvalidToken):
        verify_access_token(tokens["access_token"])
    assert refresh(world, tokens["refresh_token"]) == 400


def test_allowing_anew_after_the_end_revives_no_old_token(world: World, answer: Answer) -> None:
    tokens = redeem(world, answer(world.decide(world.open()))["code"])
    Connection.objects.update(expires_at=timezone.now())
    world.decide(world.open())
    with pytest.raises(InvalidToken):
        verify_access_token(tokens["access_token"])
    assert refresh(world, tokens["refresh_token"]) == 400


def test_connected_apps_says_when_it_ends(world: World) -> None:
    world.decide(world.open(), duration="1-day")
    connection = Connection.objects.get()
    for path in ("/connected-apps/", f"/connected-apps/{connection.pk}/"):
        page = world.browser.get(path).content.decode()
        assert f'datetime="{connection.expires_at:%Y-%m-%dT%H:%M}' in page


def test_a_second_request_sets_what_is_new_apart_from_what_was_given(world: World) -> None:
    world.decide(world.open(scope="tool:read"))
    html = world.ask(scope="tool:read tool:write").content.decode()
    assert "It now also asks to" in html
    new, given = html.index('value="tool:write">'), html.index("Already allowed")
    assert new < given < html.index('value="tool:read" checked')


def test_what_was_given_and_is_asked_again_stays_ticked_whatever_it_does(world: World) -> None:
    world.decide(world.open(), scope=BOTH)
    html = world.ask().content.decode()
    assert "It asks again for what you already allowed" in html
    assert 'value="tool:write" checked' in html


def test_a_permission_that_was_not_shown_again_stays_given(world: World, answer: Answer) -> None:
    world.decide(world.open(scope="tool:read"))
    interaction = world.open(scope="tool:write")
    assert "Stays allowed as before:" in world.ask(scope="tool:write").content.decode()
    code = answer(world.decide(interaction, scope=["tool:write"]))["code"]
    assert Connection.objects.get().scope_set == set(BOTH)
    assert redeem(world, code)["scope"] == "tool:write"


def test_a_permission_that_was_shown_again_and_unticked_is_taken_back(world: World) -> None:
    world.decide(world.open(), scope=BOTH)
    world.decide(world.open(), scope=["tool:read"])
    assert Connection.objects.get().scopes == "tool:read"


def test_nothing_of_an_ended_connection_counts_as_given(world: World) -> None:
    world.decide(world.open(), scope=BOTH)
    Connection.objects.update(expires_at=timezone.now())
    assert "Already allowed" not in world.ask().content.decode()
    world.decide(world.open(scope="tool:read"))
    assert Connection.objects.get().scopes == "tool:read"


def test_the_words_shown_are_kept_with_the_connection_and_in_the_event(world: World) -> None:
    interaction = world.open(ui_locales="pt-BR")
    world.decide(interaction)
    connection = Connection.objects.get()
    assert (connection.shown_digest, connection.shown_locale) == (interaction.shown_digest, "pt-br")
    notes = Event.objects.filter(kind__startswith="oauth:authorization").values_list("note", flat=True)
    assert set(notes) == {f"shown {interaction.shown_digest} pt-br"}


def test_other_words_are_another_digest(world: World) -> None:
    first = world.open().shown_digest
    assert world.open().shown_digest == first
    assert world.open(ui_locales="pt-BR").shown_digest != first
    Scope.objects.filter(name="tool:read").update(title="Read everything")
    assert world.open().shown_digest != first


@pytest.mark.parametrize(
    ("trust", "client_id", "words"),
    [
        ("verified", "", "Verified by Gatehouse."),
        ("proven", "https://app.example/client.json", "Identity proven by app.example."),
        (
            "claimed",
            "https://app.example/client.json",
            "Claims to be from app.example, which Gatehouse has not checked.",
        ),
        ("claimed", "", "Claims to be from c.example, which Gatehouse has not checked."),
        ("unverified", "", "Unverified: Gatehouse does not know who runs this application."),
    ],
)
def test_c12_trust_has_four_levels_in_words_and_a_sign(world: World, trust: str, client_id: str, words: str) -> None:
    client = world.public
    client.trust, client.client_id = trust, client_id or client.client_id
    client.save()
    html = world.ask(client_id=client.client_id).content.decode()
    assert words in html
    assert f'class="trust trust--{trust}"' in html
    assert html.count("<svg") == 1


@pytest.mark.parametrize(
    ("uri", "place", "words"),
    [
        ("http://localhost:55564/callback", "localhost:55564", "any program here can use"),
        (
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "cursor://anysphere.cursor-mcp",
            "any application on this device",
        ),
    ],
)
def test_c13_a_place_on_this_device_is_explained(world: World, uri: str, place: str, words: str) -> None:
    html = world.ask(redirect_uri=uri).content.decode()
    assert f"<bdi>{place}</bdi>" in html
    assert words in html


def test_another_tab_of_the_same_person_is_decided_by_itself(world: World) -> None:
    first, second = world.open(scope="tool:read"), world.open(scope="tool:write")
    assert world.decide(second, scope=["tool:write"]).status_code == 303
    assert world.decide(first, scope=["tool:read"]).status_code == 303
    assert Connection.objects.get().scope_set == set(BOTH)
    assert Interaction.objects.filter(decided_at=None).count() == 0


def test_a_program_on_this_device_claims_no_domain(world: World) -> None:
    type(world.public).objects.filter(pk=world.public.pk).update(trust="claimed")
    html = world.ask(redirect_uri="cursor://anysphere.cursor-mcp/oauth/callback").content.decode()
    assert "It claims an identity that Gatehouse has not checked." in html
