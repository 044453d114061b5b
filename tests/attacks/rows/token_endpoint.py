"""D: the token endpoint and client authentication (RFC 6749 sections 2.3 and 5.2, RFC 9700 section 2.5)."""

import json

import httpx

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import READ, VERIFIER, Target, sound

FORM = "application/x-www-form-urlencoded"


def _raw(target: Target, body: bytes, content_type: str = FORM, query: str = "") -> httpx.Response:
    headers = {"Content-Type": content_type, "X-Forwarded-For": target.address}
    url = f"{target.origin}{target.paths.token}{query}"
    return sound(httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False))


@row("D01", "GET", expected="405 with `Allow: POST`")
def get(target: Target) -> None:
    response = target.get(target.paths.token)
    expect.that(response.status_code == 405, f"HTTP {response.status_code}")
    expect.that("POST" in response.headers["allow"], "no Allow")


@row("D02", "parameters in the URL, an empty body", expected="400, and the code is not taken")
def in_the_url(target: Target) -> None:
    code, client = target.code(), target.clients["A"]
    query = (
        f"?grant_type=authorization_code&code={code}&client_id={client.client_id}&code_verifier={VERIFIER}"
        f"&redirect_uri={client.redirect_uri}"
    )
    response = _raw(target, b"", query=query)
    expect.that(response.status_code in {400, 401}, f"HTTP {response.status_code}")


@row("D03", "JSON from a client that was not allowed it", expected="400 or 415 that says what to send")
def json_body(target: Target) -> None:
    body = {"grant_type": "authorization_code", "code": "x", "client_id": target.clients["A"].client_id}
    response = _raw(target, json.dumps(body).encode(), "application/json")
    expect.that(response.status_code in {400, 415}, f"HTTP {response.status_code}")
    expect.that(response.json()["error"] == "invalid_request", f"error={response.json()['error']}")


@row("D04", "Basic and a secret in the body", expected="400 or 401, even when both are right")
def two_ways(target: Target) -> None:
    client = target.clients["C"]
    for secret in (client.secret, "another"):
        fields = {"grant_type": "authorization_code", "code": target.code("C"), "code_verifier": VERIFIER}
        fields |= {"client_id": client.client_id, "client_secret": secret, "redirect_uri": client.redirect_uri}
        response = target.post(target.paths.token, fields, auth=(client.client_id, client.secret))
        expect.that(response.status_code in {400, 401}, f"HTTP {response.status_code}")
        expect.that(response.json()["error"] in {"invalid_request", "invalid_client"}, "another error")


@row("D05", "a wrong secret with Basic", expected="401 `invalid_client` with `WWW-Authenticate: Basic`")
def wrong_basic(target: Target) -> None:
    fields = {"grant_type": "refresh_token", "refresh_token": "x"}
    response = target.post(target.paths.token, fields, auth=(target.clients["C"].client_id, "wrong"))
    expect.token_refused(response, 401, "invalid_client")
    expect.that(response.headers.get("www-authenticate", "").lower().startswith("basic"), "no Basic challenge")


@row(
    "D06", "a wrong secret in the body, and an unknown client", expected="401 `invalid_client`, the same answer to both"
)
def no_oracle(target: Target) -> None:
    client = target.clients["C"].client_id
    wrong = {"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "wrong"}
    answers = [target.token({**wrong, "client_id": name}, client="") for name in (client, "nobody")]
    for answer in answers:
        expect.token_refused(answer, 401, "invalid_client")
    expect.that(answers[0].text == answers[1].text, "the answers differ")


@row("D07", "a public client with a secret, a confidential one without", expected="401 `invalid_client`")
def wrong_kind(target: Target) -> None:
    expect.token_refused(target.refresh("x", "A", client_secret="secret"), 401, "invalid_client")
    expect.token_refused(target.refresh("x", "C", client_secret=None), 401, "invalid_client")


@row("D08", "62 wrong secrets", expected="429 with `Retry-After`")
def brute_force(target: Target) -> None:
    # Twice the rate and two more: whatever minute they fall into, one of them is used up
    answers = [target.refresh("x", "C", client_secret=f"guess{number}") for number in range(62)]
    slowed = [answer for answer in answers if answer.status_code == 429]
    expect.that(slowed, "all of them are looked at")
    expect.that(int(slowed[0].headers["retry-after"]) > 0, "no Retry-After")


@row("D15", "the password grant", expected="refused, and not in the metadata")
def password(target: Target) -> None:
    fields = {"grant_type": "password", "username": "ana", "password": target.passwords["ana"]}
    response = target.token(fields, client="C")
    expect.token_refused(response, 400, "unsupported_grant_type", "unauthorized_client")
    expect.that("password" not in target.metadata()["grant_types_supported"], "advertised")


@row("D16", "an unknown grant", expected="400 `unsupported_grant_type`")
def unknown_grant(target: Target) -> None:
    expect.token_refused(target.token({"grant_type": "x"}, client="C"), 400, "unsupported_grant_type")


@row("D17", "the headers and fields of a success", expected="`no-store`, JSON, Bearer, `scope`, an hour at most")
def success(target: Target) -> None:
    response = target.redeem(target.code())
    body = expect.issued(response)
    expect.that("no-store" in response.headers.get("cache-control", ""), "may be stored")
    expect.that(response.headers["content-type"].startswith("application/json"), "not JSON")
    expect.that(body["token_type"] == "Bearer" and body["scope"] == READ, "type or scope")
    expect.that(int(body["expires_in"]) <= 3600, f"lives {body['expires_in']} s")


@row("D18", "errors of every kind", expected="no stack, no table, no registered address")
def error_text(target: Target) -> None:
    for fields in ({}, {"grant_type": "authorization_code"}, {"grant_type": "refresh_token", "refresh_token": "'"}):
        response = target.token(fields)
        expect.token_refused(response, response.status_code)
        expect.that(response.status_code in {400, 401}, f"HTTP {response.status_code}")


@row("D19", "30 tokens", expected="all different, 128 bits or more, nothing of the user in them")
def entropy(target: Target) -> None:
    tokens = {target.token({"grant_type": "client_credentials", "scope": READ}, client="S").text for _ in range(30)}
    expect.that(len(tokens) == 30, "not 30 different tokens")
    pair = target.pair()
    for token in (pair["access_token"], pair["refresh_token"]):
        # 22 characters of 64 letters hold 128 bits; a prefix for secret scanners comes on top
        expect.that(len(token) >= 26 and "ana" not in token.lower()[:8], "short, or with the user's name")


@row("D20", "NUL, invalid UTF-8, half an escape, 3 MB", expected="4xx, never 5xx")
def malformed(target: Target) -> None:
    bodies = (b"grant_type=\x00&code=%00", b"grant_type=\xff\xfe", b"grant_type=%", b"a=" + b"x" * 3_000_000)
    for body in bodies:
        response = _raw(target, body)
        expect.that(400 <= response.status_code < 500, f"HTTP {response.status_code}")
    expect.that(target.redeem("a\x00b").status_code == 400, "NUL in a code")
