"""E: tokens, audiences, and what leaks."""

import base64
import json
from typing import Any

from tests.attacks.gateway.field import JOBS, Field, refused
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet
from tests.attacks.wire import head
from tests.proxy.raw_backend import answer

GOOD = f"{JOBS}/v1/jobs"


@row("E1", "the caller's token", expected="never at the backend")
def passed_through(field: Field, _case: Any) -> None:
    received = field.call(GOOD).received
    if field.tokens["TW"].encode() in received.head or received.values("authorization"):
        raise NotMet("the backend received it")


@row("E2", "a token for another API", expected="401 invalid_token with resource_metadata")
def other_audience(field: Field, _case: Any) -> None:
    outcome = field.call(GOOD, token="TAUD")
    refused(outcome, 401)
    challenge = outcome.answer.headers.get("www-authenticate", "") if outcome.answer else ""
    if 'error="invalid_token"' not in challenge or "resource_metadata=" not in challenge:
        raise NotMet("the challenge does not say so")


def _jwt(**header: Any) -> str:
    parts = [header, {"sub": "user_alice", "aud": "x", "iss": "http://127.0.0.1", "exp": 9_999_999_999}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln" if header.get("alg") != "none" else ""])


def _forged(field: Field) -> dict[str, str]:
    there = f"{field.evil.url}/keys"
    return {
        "alg none": _jwt(alg="none"),
        "HS256": _jwt(alg="HS256", typ="at+jwt"),
        "kid as path": _jwt(alg="RS256", kid="../../../../dev/null"),
        "kid as URL": _jwt(alg="RS256", kid=there),
        "kid as SQL": _jwt(alg="RS256", kid="' OR 1=1 --"),
        "jku": _jwt(alg="RS256", jku=there),
        "x5u": _jwt(alg="RS256", x5u=there),
        "crit": _jwt(alg="RS256", crit=["exp"]),
        "JWE": f"{_jwt(alg='dir', enc='A128GCM')}..x.y",
        "long": "x" * 8000,
        "blank": "",
        "quoted": '"token"',
        "two": "a b",
        "comma": f"{field.tokens['TW']},{field.tokens['TB']}",
        "binary": "\x01",
    }


FORGED = named("alg none", "HS256", "kid as path", "kid as URL", "kid as SQL", "jku", "x5u", "crit", "JWE", "long",
               "blank", "quoted", "two", "comma", "binary")  # fmt: skip


@row("E3", "forged tokens", expected="401 or 400, nothing fetched", cases=FORGED)
def forged(field: Field, name: str) -> None:
    before = len(field.evil.arrived)
    credential = f"Authorization: Bearer {_forged(field)[name]}"
    refused(field.attack(field.get(GOOD, credential, token="")), 401, 400, 431)
    if len(field.evil.arrived) != before:
        raise NotMet("a key was fetched")


@row("E3b", "tokens that are expired, revoked or foreign", expected="401", cases=named("TEXP", "TREV", "TFOR"))
def dead(field: Field, name: str) -> None:
    refused(field.call(GOOD, token=name), 401)


@row("E3c", "a token of a mebibyte", expected="400, 401, 431 or closed", spares="h11 refuses it")
def huge(field: Field, _case: Any) -> None:
    refused(field.attack(field.get(GOOD, f"Authorization: Bearer {'x' * (1 << 20)}", token="")), 400, 401, 431)


@row(
    "E4",
    "a token elsewhere than in Authorization",
    expected="401",
    cases=named("query", "cookie", "form", "X-Access-Token", "Basic"),
)
def elsewhere(field: Field, where: str) -> None:
    token = field.tokens["TW"]
    sent = {
        "query": field.get(f"{GOOD}?access_token={token}", token=""),
        "cookie": field.get(GOOD, f"Cookie: access_token={token}", token=""),
        "form": field.request(
            "POST", f"{JOBS}/v1/applications", "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(token) + 13}", token="",
        ) + f"access_token={token}".encode(),
        "X-Access-Token": field.get(GOOD, f"X-Access-Token: {token}", token=""),
        "Basic": field.get(GOOD, f"Authorization: Basic {base64.b64encode(f'{token}:'.encode()).decode()}", token=""),
    }[where]  # fmt: skip
    outcome = field.attack(sent)
    refused(outcome, 401)
    if outcome.answer and token.encode() in outcome.answer.body:
        raise NotMet("the token is repeated")


@row("E5", "a session's cookie", expected="401", cases=named("session", "sessionid", "__Host-session"))
def session(field: Field, name: str) -> None:
    refused(field.attack(field.get(GOOD, f"Cookie: {name}=abcdefghijklmnopqrstuvwxyz012345", token="")), 401)


@row("E6", "cookies", expected="never at the backend")
def cookies(field: Field, _case: Any) -> None:
    if field.call(GOOD, "Cookie: sessionid=x; csrftoken=y; app=1").received.values("cookie"):
        raise NotMet("the backend received them")


@row("E7", "a challenge by the backend", expected="not passed on")
def challenge(field: Field, _case: Any) -> None:
    line = 'WWW-Authenticate: Bearer resource_metadata="http://169.254.169.254/"'
    field.backend.says(answer(b"{}", line, status="401 Unauthorized"), field.usual)
    heard = field.attack(field.get(f"{field.fault()}/a", token=""), follow=False).answer
    if heard is None or "169.254" in heard.headers.get("www-authenticate", ""):
        raise NotMet("the client is steered")


@row("E8", "a backend that repeats the headers it got", expected="only what is short-lived and its own")
def reflected(field: Field, _case: Any) -> None:
    arrived = field.call(GOOD).received
    identity = arrived.values("x-gateway-identity")
    if not identity:
        raise NotMet("no assertion")
    middle = identity[0].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    if claims["exp"] - claims["iat"] > 120 or "jobs" not in str(claims["aud"]):
        raise NotMet("the assertion is good for long, or elsewhere")


PLACES = ("http://internal.example/x", "//evil/x", "http://127.0.0.1:1/base/v1/jobs", "/elsewhere")


@row("E9", "Location with an internal host", expected="removed or rewritten", cases=named(*PLACES))
def location(field: Field, place: str) -> None:
    field.backend.says(answer(b"", f"Location: {place}", status="302 Found"), field.usual)
    heard = field.attack(field.get(f"{field.fault()}/a", token=""), follow=False).answer
    if heard is None or "location" in heard.headers:
        raise NotMet("it reached the client")


@row("E10", "another person's session of MCP", expected="not taken over")
def mcp_session(field: Field, _case: Any) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    lines = ("Content-Type: application/json", "Accept: application/json, text/event-stream", "Mcp-Session-Id: alice")
    outcome = field.attack(field.request("POST", "/mcp", *lines, f"Content-Length: {len(body)}", token="TFOR") + body)
    refused(outcome, 401)


@row("E0", "no credential", expected="401 without an error in the challenge")
def nothing(field: Field, _case: Any) -> None:
    sent = head("GET", GOOD, f"Host: 127.0.0.1:{field.port}")
    outcome = field.attack(sent)
    refused(outcome, 401)
    if outcome.answer is None or "error=" in outcome.answer.headers.get("www-authenticate", "error="):
        raise NotMet("the challenge names an error, or there is none")
