"""Metadata: B16 to B18 (mix-up) and H07 to H10 (honesty, RFC 8414 and RFC 9728)."""

import re

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import Target

METADATA = "/.well-known/oauth-authorization-server"


@row("B16", "`Host` and `X-Forwarded-Host` of somebody else", expected="the configured issuer, or 400")
def poisoned_host(target: Target) -> None:
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        response = target.get(METADATA, **headers)
        expect.that("evil.example" not in response.text, "the issuer follows the header")
        expect.that(response.status_code in {200, 400}, f"HTTP {response.status_code}")


@row("B17", "metadata of an issuer that is not here", expected="404, or the issuer the URL was built from")
def other_issuer(target: Target) -> None:
    response = target.get(f"{METADATA}/tenant")
    if response.status_code == 200:
        expect.that(response.json()["issuer"] == f"{target.origin}/tenant", "another issuer than the URL's")
    else:
        expect.that(response.status_code == 404, f"HTTP {response.status_code}")


@row(
    "B18", "the addresses clients really try", expected="at least one answers, with S256 alone and the issuer asked for"
)
def discovery(target: Target) -> None:
    asked = target.paths.issuer
    names = (
        f"{METADATA}{asked}",
        f"/.well-known/openid-configuration{asked}",
        f"{asked}/.well-known/openid-configuration",
    )
    found = [answer.json() for answer in map(target.get, dict.fromkeys(names)) if answer.status_code == 200]
    expect.that(found, "none answers")
    for document in found:
        expect.that(document["issuer"] == target.issuer, "another issuer")
        expect.that(document["code_challenge_methods_supported"] == ["S256"], "not S256 alone")


@row("H07", "every advertised grant tried", expected="none is answered `unsupported_grant_type`, and no lie")
def honesty(target: Target) -> None:
    document = target.metadata()
    expect.that(document["response_types_supported"] == ["code"], "advertises more than code")
    expect.that({"password", "implicit"}.isdisjoint(document["grant_types_supported"]), "advertises a dead grant")
    for grant in document["grant_types_supported"]:
        answer = target.token({"grant_type": grant, "code": "x", "refresh_token": "x"}, client="C").json()
        expect.that(answer.get("error") != "unsupported_grant_type", f"{grant} is advertised and not there")
    for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        path = document[name].removeprefix(target.origin)
        expect.that(target.get(path).status_code != 404, f"{name} is not there")


@row("H08", "what MCP clients look for", expected="`S256`, `none`, the `iss` flag, no null")
def must_haves(target: Target) -> None:
    document = target.metadata()
    expect.that("S256" in document.get("code_challenge_methods_supported", []), "no S256")
    expect.that("none" in document["token_endpoint_auth_methods_supported"], "none is missing from the methods")
    expect.that(document.get("authorization_response_iss_parameter_supported"), "no iss flag")
    expect.that(None not in document.values(), "a null")


@row("H09", "the protected resource's document at its path", expected="200, `resource` as the client typed it")
def resource_document(target: Target) -> None:
    response = target.get(f"/.well-known/oauth-protected-resource{target.paths.api}")
    expect.that(response.status_code == 200, f"HTTP {response.status_code}")
    expect.that(response.json()["resource"] == target.resource, "another resource")
    expect.that(target.issuer in response.json().get("authorization_servers", []), "the issuer is not named")


@row("H10", "metadata read by a page of another origin", expected="allowed to any origin, cached for an hour at most")
def cors(target: Target) -> None:
    response = target.get(METADATA, Origin="https://inspector.example")
    expect.that(response.headers.get("access-control-allow-origin") == "*", "not readable from another origin")
    age = re.search(r"max-age=(\d+)", response.headers.get("cache-control", ""))
    expect.that(age and int(age[1]) <= 3600, "no max-age")
