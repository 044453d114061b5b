"""Access tokens that an API can read (RFC 9068; rows I10 and I11): signed, and looked up all the same."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from oauth2_provider.models import get_access_token_model

from oauth_provider.clients.models import Client, Preset
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.identities.models import Identity
from oauth_provider.keys.models import SigningKey
from oauth_provider.keys.signing import current_signing_key, rotate_signing_key
from oauth_provider.resources.models import Resource, TokenFormat
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.verify import InvalidToken, verify_access_token
from tests.agreed import World


@pytest.fixture
def signed(world: World) -> World:
    """A world whose API wants signed tokens."""
    Resource.objects.update(token_format=TokenFormat.JWT)
    Identity.objects.create(user=world.connection.user, external_id="user_2abc")
    world.connection.resource.refresh_from_db()
    return world


def read(world: World, token: str) -> jwt.Token:
    """The token as whoever holds the published key set reads it."""
    keys: Any = world.browser.get("/.well-known/jwks.json").json()
    return jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])


def refused(token: str) -> str:
    with pytest.raises(InvalidToken) as caught:
        verify_access_token(token)
    return caught.value.reason


def test_its_claims_are_those_of_the_grant(signed: World) -> None:
    pair = signed.pair()
    token = read(signed, pair["access_token"])
    row = get_access_token_model().objects.get()
    assert token.header == {"alg": "ES256", "typ": "at+jwt", "kid": current_signing_key().kid}
    assert len(token.claims.pop("jti")) >= 22
    assert 0 <= token.claims["exp"] - token.claims.pop("iat") - 3600 <= 1
    assert token.claims == {
        "iss": settings.PUBLIC_BASE_URL,
        "aud": signed.connection.resource.identifier,
        "sub": "user_2abc",
        "client_id": signed.client.client_id,
        "scope": "tool:read tool:write",
        "exp": int(row.expires.timestamp()),
    }


def test_it_opens_what_an_opaque_one_opens(signed: World) -> None:
    pair = signed.pair()
    verified = verify_access_token(pair["access_token"])
    assert verified.scopes == {"tool:read", "tool:write"}
    assert verified.connection == str(signed.connection.pk)
    assert verified.resources == (signed.connection.resource.identifier,)


def test_only_the_access_token_is_signed(signed: World) -> None:
    assert signed.pair()["refresh_token"].startswith("gh_rt_")


def test_a_refresh_and_its_retry_give_a_signed_one(signed: World) -> None:
    first = signed.pair()
    second, again = (signed.refresh(first["refresh_token"], scope="tool:read").json() for _ in range(2))
    assert second["access_token"] == again["access_token"]
    assert read(signed, second["access_token"]).claims["scope"] == "tool:read"


def test_a_service_is_its_own_subject(signed: World, make_world: Callable[..., World]) -> None:
    service = make_world(
        preset=Preset.SERVICE, authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS, redirect_uris=""
    )
    token = read(service, service.token(grant_type="client_credentials").json()["access_token"])
    assert token.claims["sub"] == token.claims["client_id"] == service.client.client_id


def test_an_exchanged_one_names_the_clients_it_went_through(signed: World) -> None:
    Client.objects.update(may_exchange_tokens=True)
    answer = signed.token(
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=signed.pair()["access_token"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    own = {"sub": signed.client.client_id}
    assert read(signed, answer.json()["access_token"]).claims["act"] == own | {"act": own}


def test_revocation_is_immediate(signed: World) -> None:
    token = signed.pair()["access_token"]
    revoke_connection(connection=signed.connection, actor=None, by="user", reason="")
    assert refused(token) == "unknown"
    assert read(signed, token).claims["sub"] == "user_2abc", "only who looks it up knows"


def test_its_client_gives_it_back(signed: World) -> None:
    pair = signed.pair()
    signed.post("/oauth/revoke", token=pair["access_token"])
    assert refused(pair["access_token"]) == "unknown"
    assert signed.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


def test_the_resource_server_may_ask_about_it(signed: World) -> None:
    told = signed.introspect(signed.pair()["access_token"]).json()
    assert (told["active"], told["sub"]) == (True, "user_2abc")


def another(signed: World, **changes: Any) -> str:
    """A token with the claims of a live one, `changes` apart, signed by our own key."""
    token = read(signed, signed.pair()["access_token"])
    header = {**token.header, "typ": changes.pop("typ", "at+jwt")}
    return jwt.encode(header, {**token.claims, **changes}, ECKey.import_key(current_signing_key().private))


@pytest.mark.parametrize(
    "changes",
    [{}, {"typ": "JWT"}, {"typ": "gateway-identity+jwt"}, {"scope": "tool:read tool:write admin:all"}],
    ids=["same-claims", "id-token", "identity-assertion", "more-scopes"],
)
def test_i11_our_signature_alone_opens_nothing(signed: World, changes: dict[str, Any]) -> None:
    assert refused(another(signed, **changes)) == "unknown"


def test_i10_a_changed_signature_or_algorithm_opens_nothing(signed: World) -> None:
    header, claims, signature = signed.pair()["access_token"].split(".")
    none = "eyJhbGciOiJub25lIn0"
    for token in (f"{header}.{claims}.", f"{none}.{claims}.", f"{header}.{claims}.{signature[::-1]}"):
        assert refused(token) == "unknown"


def test_what_it_says_is_not_kept(signed: World) -> None:
    token = signed.pair()["access_token"]
    assert token not in str(list(get_access_token_model().objects.values()))


def test_it_costs_one_query_more_for_the_key_that_signs_now(
    signed: World, django_assert_num_queries: Callable[[int], Any], django_assert_max_num_queries: Any
) -> None:
    signed.pair()
    queries = []
    for form in (TokenFormat.OPAQUE, TokenFormat.JWT):
        Resource.objects.update(token_format=form)
        code = signed.code()
        with django_assert_max_num_queries(100) as counted:
            token = signed.redeem(code).json()["access_token"]
        queries.append(len(counted))
        with django_assert_num_queries(1):
            verify_access_token(token)
    assert queries[1] == queries[0] + 1


def test_one_with_many_permissions_is_not_too_long_to_be_looked_up(signed: World) -> None:
    names = " ".join(f"area-of-work-{number}:write" for number in range(60))
    Scope.objects.bulk_create(Scope(name=name, title=name) for name in names.split())
    Client.objects.update(allowed_scopes=names)
    signed.connection.scopes = names
    signed.connection.save()
    token = signed.pair(scopes=tuple(names.split()))["access_token"]
    assert len(verify_access_token(token).scopes) == 60


def test_after_a_rotation_the_new_key_signs_and_old_tokens_verify(signed: World) -> None:
    old = signed.pair()["access_token"]
    kid = rotate_signing_key().kid
    SigningKey.objects.filter(kid=kid).update(signs_from=current_signing_key_from())
    assert read(signed, signed.pair()["access_token"]).header["kid"] == kid
    assert read(signed, old).claims["sub"] == "user_2abc"


def test_a_compromised_key_signs_nothing_more(signed: World) -> None:
    old = read(signed, signed.pair()["access_token"]).header["kid"]
    new = rotate_signing_key(compromised=True).kid
    assert read(signed, signed.pair()["access_token"]).header["kid"] == new != old


def current_signing_key_from() -> Any:
    return SigningKey.objects.order_by("signs_from").values_list("signs_from", flat=True)[0]
