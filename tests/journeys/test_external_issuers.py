"""A company whose people sign in elsewhere: its issuer is registered, and its tokens work until it is switched off."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.server import Demo
from tests.proxy.issuers.idp import AUDIENCE, SUBJECT, Idp, ec, idp, rsa

REASON = {"X-Reason": "the journey says so"}


@pytest.fixture(scope="module")
def outside(demo: Demo, manage: httpx.Client) -> Iterator[Idp]:
    """The issuer, registered, and the echo backend once more for those who come from there."""
    with idp() as running:
        running.keys = [rsa("first"), ec("second")]
        upstream = demo.facts["backends"]["echo"]["upstream"]
        backend = {"name": "partner", "upstream_url": upstream, "auth_mode": "issuer", "allow_private": True}
        made(manage, "backends/", backend)
        for method, path, scopes in (("GET", "/**", ["tool:read"]), ("POST", "/**", ["tool:write"])):
            body = {"backend": "partner", "method": method, "path": path, "scopes": scopes}
            made(manage, "operations/", body)
        issuer = {"name": "partner-idp", "issuer": running.issuer, "audience": AUDIENCE, "jwks_url": running.jwks_url,
                  "algorithms": ["RS256", "ES256"], "allow_private": True,
                  "claims": {"tenant": "org_id", "roles": "roles"}}  # fmt: skip
        made(manage, "issuers/", issuer)
        yield running


def made(manage: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST made."""
    answer = manage.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def call(demo: Demo, token: str, method: str = "GET") -> httpx.Response:
    """A call of the partner's backend."""
    header = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, f"{demo.issuer}/api/v1/partner/a?q=1", headers=header, timeout=20)


@pytest.mark.parametrize("number", [0, 1])
def test_the_backend_learns_who_it_is_and_nothing_else(demo: Demo, outside: Idp, number: int) -> None:
    key = outside.keys[number]
    token = outside.token(key, scope="other:scope tool:read", org_id="org_7", roles=["admin"])
    answer = call(demo, token)
    assert answer.status_code == 200, answer.text
    headers = answer.json()["headers"]
    assert (headers["x-user-id"], headers["x-tenant-id"], headers["x-roles"]) == (SUBJECT, "org_7", "admin")
    assert (headers["x-scopes"], "authorization" in headers) == ("tool:read", False)
    assert token not in answer.text
    claims = steps.verified_identity(demo, headers["x-gateway-identity"]).claims
    assert (claims["sub"], claims["aud"], claims["tenant"], claims["roles"]) == (SUBJECT, "partner", "org_7", ["admin"])


def test_the_call_is_found_by_who_made_it(demo: Demo, outside: Idp, manage: httpx.Client) -> None:
    answer = call(demo, outside.token(scope="tool:read"))
    query = {"user": SUBJECT, "request_id": answer.headers["x-request-id"]}
    (event,) = manage.get("audit/events/", params=query).json()["results"]
    assert (event["user"], event["backend"], event["decision"]) == (SUBJECT, "partner", "allow")
    assert event["client_id"] == "iss:partner-idp:https://app.example.com"


def test_a_token_full_of_groups_gets_through(demo: Demo, outside: Idp) -> None:
    token = outside.token(scope="tool:read", groups=["a" * 36] * 110)
    assert 6000 < len(token) < 8000
    assert call(demo, token).status_code == 200


def test_what_the_token_may_not_do_is_refused_with_what_is_missing(demo: Demo, outside: Idp) -> None:
    refused = call(demo, outside.token(scope="openid tool:read"), "POST")
    assert refused.status_code == 403
    assert 'scope="tool:write"' in refused.headers["www-authenticate"]


def test_a_client_finds_the_issuer_from_the_refusal(demo: Demo, outside: Idp) -> None:
    refused = httpx.get(f"{demo.issuer}/api/v1/partner/a", timeout=20)
    assert refused.status_code == 401
    url = refused.headers["www-authenticate"].split('resource_metadata="')[1].split('"')[0]
    document = httpx.get(url, timeout=20).json()
    assert document["resource"] == f"{demo.issuer}/api/v1/partner"
    assert document["authorization_servers"] == [outside.issuer]


def test_whatever_is_not_a_good_token_of_theirs_is_401(demo: Demo, outside: Idp) -> None:
    good = outside.token(scope="tool:read")
    assert call(demo, good).status_code == 200
    asked = len(outside.requests)
    bad = [
        outside.token(rsa("first"), scope="tool:read"),
        outside.token(scope="tool:read", aud="https://elsewhere.example"),
        outside.token(scope="tool:read", exp=int(time.time()) - 1),
        outside.token(scope="tool:read", header={"jku": f"{outside.issuer}evil"}),
        f"{good}x",
        f"{good.rpartition('.')[0]}.",
        "a" * 100,
    ]
    for token in bad:
        answer = call(demo, token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert len(outside.requests) == asked


def test_how_it_is_stands_in_the_health(demo: Demo, outside: Idp) -> None:
    del outside
    # Its keys are asked for within half a second of the registration, and nobody has to call first
    until, keys = time.monotonic() + 5, 0
    while keys != 2 and time.monotonic() < until:
        keys = httpx.get(f"{demo.issuer}/health/issuers", timeout=20).json()["issuers"]["partner-idp"]["keys"]
        time.sleep(0.05)
    assert keys == 2
    assert httpx.get(f"{demo.issuer}/health/auth0", timeout=20).status_code == 404


def test_an_issuer_that_is_switched_off_is_out_within_a_second(demo: Demo, outside: Idp, manage: httpx.Client) -> None:
    token = outside.token(scope="tool:read")
    assert call(demo, token).status_code == 200
    answer = manage.patch("issuers/partner-idp/", json={"enabled": False}, headers=REASON)
    assert answer.status_code == 200, answer.text
    passed_s = steps.refused_after_s(lambda: call(demo, token), within_s=1.0)
    print(f"refused {passed_s * 1000:.0f} ms after the answer")
    manage.patch("issuers/partner-idp/", json={"enabled": True}, headers=REASON)
    assert call(demo, token).status_code == 200
