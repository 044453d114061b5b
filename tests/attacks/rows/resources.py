"""I: what a token opens, seen from the authorization server's side (RFC 6750, RFC 8707, RFC 9068)."""

import base64
import json
from collections.abc import Mapping
from itertools import product

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import READ, Target


@row("I01", "no token at the API", expected="401 with `resource_metadata` and `scope`, no `error`")
def no_token(target: Target) -> None:
    response = target.get(f"{target.paths.api}/a")
    expect.that(response.status_code == 401, f"HTTP {response.status_code}")
    challenge = response.headers.get("www-authenticate", "")
    expect.that("resource_metadata=" in challenge and "scope=" in challenge, "the challenge does not lead anywhere")
    expect.that("error=" not in challenge, "an error though nothing was sent")


@row("I02", "the token in the URL", expected="400 or 401")
def in_the_url(target: Target) -> None:
    response = target.get(f"{target.paths.api}/a?access_token={target.pair()['access_token']}")
    expect.that(response.status_code in {400, 401}, f"HTTP {response.status_code}")


@row("I04", "a token for one resource at another", expected="401")
def wrong_audience(target: Target) -> None:
    token = target.pair(resource=f"{target.origin}/api/v1/gpt")["access_token"]
    expect.dead(target, token)


@row("I05", "an unknown resource", expected="`invalid_target` to the client")
def unknown_resource(target: Target) -> None:
    expect.refused_to_client(target, target.ask(resource="https://unknown.example/mcp"), "invalid_target")


@row("I06", "a resource with a fragment, and a relative one", expected="`invalid_target` to the client")
def malformed_resource(target: Target) -> None:
    for resource in (f"{target.resource}#x", target.paths.api):
        expect.refused_to_client(target, target.ask(resource=resource), "invalid_target")


@row("I07", "a token that may only read, used to write", expected="403 `insufficient_scope` with what is needed")
def insufficient(target: Target) -> None:
    token = target.pair(scope=READ)["access_token"]
    response = target.call(token, method="POST")
    expect.that(response.status_code == 403, f"HTTP {response.status_code}")
    challenge = response.headers.get("www-authenticate", "")
    expect.that(
        "insufficient_scope" in challenge and "scope=" in challenge, "the challenge does not say what is needed"
    )


@row("I10", "invented JWTs: `alg` none and HS256, `kid` a path, other types", expected="401")
def invented_jwts(target: Target) -> None:
    claims = {"iss": target.issuer, "aud": target.resource, "sub": "1", "scope": READ, "exp": 4_000_000_000}
    for algorithm, kind in product(("none", "HS256", "ES256"), ("at+jwt", "JWT", "gateway-identity+jwt")):
        header = {"alg": algorithm, "typ": kind, "kid": "../../../../dev/null"}
        parts = [_base64url(header), _base64url(claims), "" if algorithm == "none" else "c2lnbmF0dXJl"]
        response = target.call(".".join(parts))
        expect.that(response.status_code in {401, 403}, f"{algorithm} {kind}: HTTP {response.status_code}")


@row("I11", "an ID token where an access token belongs", expected="401 at the API and at UserInfo, `active: false`")
def id_token_as_access_token(target: Target) -> None:
    document = target.metadata()
    expect.that("openid" in document.get("scopes_supported", []), "no OpenID Connect: there is no ID token to try")
    bought = target.pair(scope=f"openid {READ}")
    expect.that(target.opens(bought["access_token"]), "not even the access token opens the API")
    response = target.call(bought["id_token"])
    expect.that(response.status_code == 401, f"HTTP {response.status_code}")
    path = document["userinfo_endpoint"].removeprefix(target.origin)
    told = target.get(path, Authorization=f"Bearer {bought['id_token']}")
    expect.that(told.status_code == 401, f"UserInfo: HTTP {told.status_code}")
    expect.that(target.introspect(bought["id_token"]).json() == {"active": False}, "introspection says it is active")


@row("I14", "a signed-in browser at the API, no token", expected="401 or 403: a cookie opens nothing there")
def ambient_authority(target: Target) -> None:
    response = target.person().get(f"{target.paths.api}/a")
    expect.that(response.status_code in {401, 403}, f"HTTP {response.status_code}")


def _base64url(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
