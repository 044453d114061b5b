"""What a sign-in asks of the authorization endpoint: the four scopes, and `id_token_hint` (Core section 3.1.2.1)."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection
from oauth_provider.identities.models import Identity
from oauth_provider.keys.signing import current_signing_key, rotate_signing_key
from oauth_provider.scopes.models import Scope
from oauth_provider.scopes.openid import add_openid_scopes
from oauth_provider.scopes.save import ScopeInUseError, remove_scope
from tests.oauth_provider.authorize.world import Answer, World
from tests.oauth_provider.openid.sign_in import ALL, read, tokens


def signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that the server's own key signs, but its pages never would."""
    key = current_signing_key()
    good: dict[str, Any] = {"iss": settings.PUBLIC_BASE_URL, "sub": "user_2abc", "aud": "x", "iat": 1, "exp": 2}
    values = {name: value for name, value in (good | claims).items() if value is not None}
    headers = {"alg": "ES256", "typ": "JWT", "kid": key.kid} | (header or {})
    return jwt.encode(headers, values, ECKey.import_key(key.private), algorithms=["ES256"])


def with_header(**changes: Any) -> str:
    """The same with a header that nobody would sign."""
    header = {"alg": "ES256", "typ": "JWT", "kid": current_signing_key().kid} | changes
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([encoded, *signed().split(".")[1:]])


def sign_in(world: World, asked: Any, name: str) -> Any:
    """Sign in where the answer `asked` leads."""
    back = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
    return world.browser.post("/accounts/login/", {"username": name, "password": "correct horse", "next": back})


def test_every_client_may_ask_for_all_four_without_leave_of_staff(world: World) -> None:
    interaction = world.open(scope=f"{ALL} tool:read")
    assert interaction.scopes == f"{ALL} tool:read"


@pytest.mark.parametrize("name", ALL.split())
def test_staff_decide_whether_it_is_offered(world: World, answer: Answer, name: str) -> None:
    Scope.objects.filter(name=name).update(enabled=False)
    assert name not in world.open(scope=ALL).scopes.split()
    assert answer(world.ask(scope=name))["error"] == "invalid_scope"


def test_a_request_without_scope_does_not_ask_who_the_person_is(world: World) -> None:
    assert world.open(scope=None).scopes == "tool:read"


def test_a_service_acts_for_nobody_and_has_none(world: World) -> None:
    service = Client(authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS, allowed_scopes="tool:read")
    assert service.askable_scopes == {"tool:read"}


def test_the_page_says_what_each_means_in_either_language(world: World) -> None:
    page = world.ask(scope=ALL).content.decode()
    assert "Know who you are" in page
    assert "See your e-mail address" in page
    page = world.ask(scope=ALL, ui_locales="pt-BR").content.decode()
    assert "Saber quem você é" in page
    assert "Enquanto você não está" in page


def test_the_four_cannot_be_deleted_and_a_start_keeps_what_staff_wrote(world: World) -> None:
    Scope.objects.filter(name="email").update(title="Mail", enabled=False)
    add_openid_scopes()
    scope = Scope.objects.get(name="email")
    assert (scope.title, scope.enabled) == ("Mail", False)
    with pytest.raises(ScopeInUseError):
        remove_scope(scope=scope, actor=None, note="x")  # type: ignore[arg-type]  # refused before anybody is asked for


def test_max_age_and_the_moment_of_the_sign_in_agree(world: World) -> None:
    bought = tokens(world, max_age="60", scope="openid")
    claims = read(bought["id_token"]).claims
    assert claims["iat"] - claims["auth_time"] <= 60


def test_a_hint_of_the_same_person_changes_nothing_even_expired(world: World) -> None:
    assert world.ask(id_token_hint=signed(), scope="openid").status_code == 200
    mine = tokens(world, scope="openid")["id_token"]
    assert world.ask(id_token_hint=mine, scope="openid").status_code == 200
    rotate_signing_key()
    assert world.ask(id_token_hint=mine, scope="openid").status_code == 200


def test_a_hint_of_somebody_else_asks_for_her_once(world: World, answer: Answer) -> None:
    Identity.objects.create(user=world.bruno, external_id="user_2def")
    changes = {"id_token_hint": signed(sub="user_2def"), "scope": "openid"}
    asked = world.ask(**changes)
    assert asked["Location"].startswith("/accounts/login/?next=")
    assert not Interaction.objects.exists()
    again = world.browser.get(sign_in(world, asked, "ana-t")["Location"])
    assert (answer(again)["error"], answer(again)["iss"]) == ("login_required", settings.PUBLIC_BASE_URL)
    shown = world.browser.get(sign_in(world, asked, "bruno-t")["Location"])
    assert shown.status_code == 200
    assert Interaction.objects.get().user == world.bruno


def test_a_hint_and_nobody_signed_in_goes_the_same_way(world: World, answer: Answer) -> None:
    world.browser.logout()
    asked = world.ask(id_token_hint=signed(sub="somebody-gone"), scope="openid")
    back = sign_in(world, asked, "ana-t")
    assert answer(world.browser.get(back["Location"]))["error"] == "login_required"


def test_prompt_none_with_a_hint_of_somebody_else_shows_no_page(world: World, answer: Answer) -> None:
    refused = world.ask(id_token_hint=signed(sub="user_2def"), prompt="none", scope="openid")
    assert answer(refused)["error"] == "login_required"


@pytest.mark.parametrize(
    "hint",
    [
        "x",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyXzJhYmMifQ.",
        lambda: signed(header={"typ": "at+jwt"}),
        lambda: signed(header={"typ": "gateway-identity+jwt"}),
        lambda: signed(iss="https://other.example"),
        lambda: signed(sub=None),
        lambda: signed(sub=["user_2abc"]),
        lambda: signed()[:-8] + "AAAAAAAA",
        lambda: with_header(crit=5),
        lambda: with_header(b64=[], crit=["b64", {}]),
        lambda: with_header(alg={}),
        lambda: with_header(kid=5),
        lambda: jwt.encode({"alg": "ES256", "typ": "JWT"}, {"sub": "user_2abc"}, ECKey.generate_key("P-256")),
    ],
)
def test_what_is_no_id_token_of_ours_is_refused(world: World, answer: Answer, hint: Any) -> None:
    refused = world.ask(id_token_hint=hint if isinstance(hint, str) else hint(), scope="openid")
    assert answer(refused)["error"] == "invalid_request"


def test_a_hint_signed_with_a_key_that_leaked_counts_no_more(world: World, answer: Answer) -> None:
    mine = tokens(world, scope="openid")["id_token"]
    rotate_signing_key(compromised=True)
    assert answer(world.ask(id_token_hint=mine, scope="openid"))["error"] == "invalid_request"


def test_an_oversized_hint_is_refused_here(world: World) -> None:
    assert world.ask(id_token_hint="x" * 5000).status_code == 400


def test_the_sign_in_is_a_connection_of_its_own(world: World) -> None:
    tokens(world, scope="openid email")
    tokens(world, scope="tool:read")
    assert sorted(Connection.objects.values_list("scopes", flat=True)) == ["email openid", "tool:read"]


def test_connected_apps_lists_what_she_gave(world: World) -> None:
    tokens(world, scope="openid email")
    connection = Connection.objects.get()
    page = world.browser.get(f"/connected-apps/{connection.pk}/").content.decode()
    assert "See your e-mail address" in page
    assert "Not available now" not in page
