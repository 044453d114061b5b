"""Who calls the token endpoint: exactly one proof, in any of the ways a client may give it (RFC 6749 section 2.3)."""

import base64
import hmac
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import pytest

from audit.ledger.models import Event
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.clients.secrets import create_secret, retire_secret
from oauth_provider.clients.suspend import suspend_client
from tests.agreed import REDIRECT, VERIFIER, World, form_encoded

Worlds = Callable[..., World]
FORM = "application/x-www-form-urlencoded"


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def redeem(world: World, *, authorization: str = "", **parameters: str) -> Any:
    """Redeem a fresh code with exactly these credentials."""
    form = {
        "grant_type": "authorization_code",
        "code": world.code(),
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    headers = {"authorization": authorization} if authorization else {}
    return world.browser.post("/oauth/token", form_encoded(form | parameters), content_type=FORM, headers=headers)


def refused_with(answer: Any, status: int, error: str) -> str:
    """Check the refusal; the reason it left in the ledger."""
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert ("WWW-Authenticate" in answer) == (status == 401), "D05"
    if status == 401:
        assert answer["WWW-Authenticate"].startswith("Basic realm=")
    return Event.objects.get(kind="oauth:token:refused").reason


# Ways to prove it


def test_by_body(world: World) -> None:
    assert redeem(world, client_id=world.client.client_id, client_secret=world.secret).status_code == 200


def test_by_basic(world: World) -> None:
    assert redeem(world, authorization=basic(world.client.client_id, world.secret)).status_code == 200


def test_by_basic_with_the_scheme_in_any_case(world: World) -> None:
    authorization = basic(world.client.client_id, world.secret).replace("Basic", "bAsIc")
    assert redeem(world, authorization=authorization).status_code == 200


@pytest.mark.parametrize("encode", [str, quote_plus], ids=["as-it-is", "form-encoded"])
def test_by_basic_with_and_without_the_encoding_of_the_specification(
    make_world: Worlds, encode: Callable[[str], str]
) -> None:
    world = make_world(client_id="gpt:career/copilot")
    authorization = basic(quote_plus(world.client.client_id), encode(world.secret))
    assert redeem(world, authorization=authorization).status_code == 200


def test_by_basic_repeating_the_client_in_the_body(world: World) -> None:
    authorization = basic(world.client.client_id, world.secret)
    assert redeem(world, authorization=authorization, client_id=world.client.client_id).status_code == 200


def test_a_public_client_by_its_name(public: World) -> None:
    assert redeem(public, client_id=public.client.client_id).status_code == 200


def test_either_of_two_live_secrets(world: World) -> None:
    second = create_secret(client=world.client, actor=None)
    for secret in (world.secret, second):
        assert redeem(world, client_id=world.client.client_id, client_secret=secret).status_code == 200


# Ways to fail


def test_each_secret_says_when_it_was_last_used(world: World) -> None:
    second = create_secret(client=world.client, actor=None)
    redeem(world, client_id=world.client.client_id, client_secret=second)
    old, new = ClientSecret.objects.order_by("pk")
    assert (old.last_used_at is None, new.last_used_at is None) == (True, False)


@pytest.mark.parametrize(
    ("client_id", "compared"), [("own", 2), ("unknown", 1)], ids=["a-wrong-secret", "an-unknown-client"]
)
def test_d06_secrets_are_compared_in_constant_time_and_all_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch, client_id: str, compared: int
) -> None:
    create_secret(client=world.client, actor=None)
    seen: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        seen.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr("oauth_provider.clients.secrets.hmac", SimpleNamespace(compare_digest=compare))
    name = world.client.client_id if client_id == "own" else client_id
    assert redeem(world, client_id=name, client_secret="wrong").status_code == 401
    assert len(seen) == compared
    assert {len(digest) for pair in seen for digest in pair} == {64}


def test_d04_two_proofs_are_refused_even_when_both_are_right(world: World) -> None:
    authorization = basic(world.client.client_id, world.secret)
    answer = redeem(world, authorization=authorization, client_secret=world.secret)
    assert refused_with(answer, 400, "invalid_request") == "two_authentication_methods"


def test_two_names_are_refused(world: World, make_client: Callable[..., Client]) -> None:
    authorization = basic(world.client.client_id, world.secret)
    answer = redeem(world, authorization=authorization, client_id=make_client().client_id)
    assert refused_with(answer, 400, "invalid_request") == "two_client_ids"


WRONG: dict[str, tuple[str, dict[str, str]]] = {
    "D06-wrong-secret": ("", {"client_id": "{id}", "client_secret": "wrong"}),
    "D06-unknown-client": ("", {"client_id": "nobody", "client_secret": "{secret}"}),
    "D07-no-secret": ("", {"client_id": "{id}"}),
    "nothing-at-all": ("", {}),
    "secret-alone": ("", {"client_secret": "{secret}"}),
    "name-beyond-its-column": ("", {"client_id": "x" * 300, "client_secret": "{secret}"}),
    "D05-wrong-secret-by-basic": ("{id}:wrong", {}),
    "unknown-client-by-basic": ("nobody:{secret}", {}),
    "no-colon": ("{id}", {}),
    "empty-secret-by-basic": ("{id}:", {}),
}


@pytest.mark.parametrize(("pair", "form"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_proof_is_refused_in_words_that_tell_nothing(world: World, pair: str, form: dict[str, str]) -> None:
    known = {"id": world.client.client_id, "secret": world.secret}
    authorization = "Basic " + base64.b64encode(pair.format(**known).encode()).decode() if pair else ""
    answer = redeem(world, authorization=authorization, **{name: text.format(**known) for name, text in form.items()})
    refused_with(answer, 401, "invalid_client")
    assert answer.json() == {"error": "invalid_client", "error_description": "Client authentication failed."}
    assert Event.objects.get(kind="oauth:token:refused").client_id in ("", world.client.client_id)


@pytest.mark.parametrize(
    "authorization", ["Bearer gh_at_x", "Basic", "Basic ???", "Basic /w==", "Negotiate abc", "x" * 2000]
)
def test_a_header_that_is_no_basic_is_refused(world: World, authorization: str) -> None:
    refused_with(redeem(world, authorization=authorization), 401, "invalid_client")


def test_d07_a_public_client_that_sends_a_secret_is_refused(public: World) -> None:
    refused_with(redeem(public, client_id=public.client.client_id, client_secret="x"), 401, "invalid_client")


def test_a_retired_secret_is_refused(world: World) -> None:
    create_secret(client=world.client, actor=None)
    retire_secret(secret=ClientSecret.objects.order_by("created_at")[0], actor=None)
    refused_with(redeem(world, client_id=world.client.client_id, client_secret=world.secret), 401, "invalid_client")


def test_a_suspended_client_is_refused_like_an_unknown_one(world: World) -> None:
    suspend_client(client=world.client, actor=None, reason="test")
    answer = redeem(world, client_id=world.client.client_id, client_secret=world.secret)
    assert refused_with(answer, 401, "invalid_client") == "suspended_client"


@pytest.mark.parametrize("approval", ["pending", "declined"])
def test_a_client_that_staff_did_not_let_in_is_refused_like_an_unknown_one(world: World, approval: str) -> None:
    type(world.client).objects.update(approval=approval)
    answer = redeem(world, client_id=world.client.client_id, client_secret=world.secret)
    assert refused_with(answer, 401, "invalid_client") == "client_not_approved"


def test_the_secret_of_another_client_proves_nothing(world: World, make_world: Worlds) -> None:
    other = make_world(username="bruno")
    refused_with(redeem(world, client_id=world.client.client_id, client_secret=other.secret), 401, "invalid_client")


# JSON, as some GPT Actions send it


@pytest.mark.parametrize("by", ["body", "basic"])
def test_json_where_staff_allowed_it(make_world: Worlds, by: str) -> None:
    world = make_world(allow_json_token_requests=True)
    body = {
        "grant_type": "authorization_code",
        "code": world.code(),
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    headers = {"authorization": basic(world.client.client_id, world.secret)} if by == "basic" else {}
    proof = {"client_id": world.client.client_id, "client_secret": world.secret} if by == "body" else {}
    answer = world.browser.post(
        "/oauth/token", json.dumps(body | proof), content_type="application/json; charset=utf-8", headers=headers
    )
    assert answer.status_code == 200
    assert world.refresh(answer.json()["refresh_token"]).status_code == 200, "a form is accepted as well"


def test_d03_json_anywhere_else_is_refused_with_words_that_help(world: World) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": world.client.client_id}
    answer = world.browser.post(
        "/oauth/token", json.dumps(body | {"client_secret": world.secret}), content_type="application/json"
    )
    assert refused_with(answer, 400, "invalid_request") == "json_not_allowed"
    assert FORM in answer.json()["error_description"]
