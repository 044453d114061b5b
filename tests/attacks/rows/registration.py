"""Dynamic registration: F02 to F14 (RFC 7591 and RFC 7592 section 5)."""

from typing import Any

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import Target

REDIRECT = "https://newcomer.example/cb"
DAY_S = 86_400
AGREED = {"authorization_code", "refresh_token"}


def body(**fields: Any) -> dict[str, Any]:
    """A registration that could be honest."""
    return {"client_name": "Newcomer", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", **fields}


def registered(target: Target, **fields: Any) -> dict[str, Any]:
    """The answer to a registration that must succeed."""
    answer = target.register(body(**fields))
    expect.that(answer.status_code == 201, f"HTTP {answer.status_code}")
    made: dict[str, Any] = answer.json()
    return made


def refused(target: Target, sent: object, *errors: str) -> None:
    """An error of RFC 7591 section 3.2.2."""
    answer = target.register(sent)
    expect.that(answer.status_code in {400, 413}, f"HTTP {answer.status_code}")
    error = answer.json().get("error")
    expect.that(error in errors, f"error={error}")


@row("F02", "62 registrations from one address", expected="429")
def flood(target: Target) -> None:
    # Twice the rate and two more: whatever minute they fall into, one of them is used up
    statuses = {target.register(body()).status_code for _ in range(62)}
    expect.that(429 in statuses, "all of them are registered")


@row("F03", "the same registration again and again", expected="those that nobody used are gone a day later")
def growth(target: Target) -> None:
    made = [registered(target) for _ in range(3)]
    target.operate("pass", str(2 * DAY_S))
    target.operate("clean", "")
    for each in made:
        page = target.ask(client_id=each["client_id"], redirect_uri=REDIRECT)
        expect.refused_here(page)


@row(
    "F04",
    "the grants password, implicit, client credentials",
    expected="refused, or left out of what is registered",
)
def dead_grants(target: Target) -> None:
    for grant in ("password", "implicit", "client_credentials"):
        for asked in ([grant], ["authorization_code", grant]):
            answer = target.register(body(grant_types=asked, token_endpoint_auth_method="client_secret_post"))
            if answer.status_code == 201:
                expect.that(set(answer.json()["grant_types"]) <= AGREED, f"{grant} is registered")
            else:
                expect.that(answer.status_code == 400, f"HTTP {answer.status_code}")


@row(
    "F05",
    "`javascript:`, `data:`, a fragment, a wildcard as redirect",
    expected="400 `invalid_redirect_uri`",
)
def dangerous_redirects(target: Target) -> None:
    for uri in ("javascript:alert(1)", "data:text/html,x", f"{REDIRECT}#x", "https://*.example/cb"):
        refused(target, body(redirect_uris=[uri]), "invalid_redirect_uri")


@row("F06", "plain http to another computer as redirect", expected="400 `invalid_redirect_uri`")
def plain_redirect(target: Target) -> None:
    refused(target, body(redirect_uris=["http://newcomer.example/cb"]), "invalid_redirect_uri")


@row("F07", "values of the wrong type, no object, a name twice", expected="400 with an error of RFC 7591")
def wrong_types(target: Target) -> None:
    errors = ("invalid_client_metadata", "invalid_redirect_uri")
    for sent in (body(client_name=5), body(redirect_uris="x"), "null", "[]", '{"redirect_uris":[],"redirect_uris":[]}'):
        refused(target, sent, *errors)


@row("F08", "NUL, a control and a directional character in the name", expected="400, or taken out")
def characters(target: Target) -> None:
    for character in ("\x00", "\x1b", "\u202e"):
        answer = target.register(body(client_name=f"Claude{character}"))
        if answer.status_code == 201:
            expect.that(character not in answer.json().get("client_name", ""), "the character is kept")
        else:
            expect.that(answer.status_code == 400, f"HTTP {answer.status_code}")


@row("F09", "addresses of the internal network as metadata", expected="not registered, or ignored; nothing is fetched")
def internal_addresses(target: Target) -> None:
    for name in ("logo_uri", "tos_uri", "policy_uri", "client_uri", "jwks_uri"):
        answer = target.register(body(**{name: "http://169.254.169.254/latest/meta-data/"}))
        expect.that(answer.status_code in {201, 400}, f"HTTP {answer.status_code}")
        expect.that(answer.elapsed.total_seconds() < 5, "somebody waits for the address")
        expect.that(answer.status_code == 400 or name not in answer.json(), f"{name} is registered")


@row("F10", "the registration access token as a bearer and as a refresh token", expected="401; `invalid_grant`")
def management_token(target: Target) -> None:
    made = registered(target)
    token = made["registration_access_token"]
    expect.that(target.call(token).status_code == 401, f"HTTP {target.call(token).status_code} at the API")
    fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": made["client_id"]}
    expect.token_refused(target.token(fields, client=""), 400, "invalid_grant")
    expect.that(target.introspect(token).json().get("active") is False, "introspection calls it active")


@row("F11", "the registration access token 400 days later", expected="401")
def old_management_token(target: Target) -> None:
    made = registered(target)
    target.operate("pass", str(400 * DAY_S))
    path = made["registration_client_uri"].removeprefix(target.origin)
    answer = target.get(path, Authorization=f"Bearer {made['registration_access_token']}")
    expect.that(answer.status_code == 401, f"HTTP {answer.status_code}")


@row("F12", "a registration of another site with the person's cookies", expected="403, or the cookies are ignored")
def with_cookies(target: Target) -> None:
    cookie = target.person().cookie(target.session_cookie)
    headers = {"Origin": "https://evil.example", "Cookie": f"{target.session_cookie}={cookie}"}
    answer = target.register(body(), **headers)
    expect.that(answer.status_code in {201, 403}, f"HTTP {answer.status_code}")
    expect.that("set-cookie" not in answer.headers, "it sets a cookie")
    expect.that("access-control-allow-credentials" not in answer.headers, "other sites may read it with cookies")


@row("F13", "a software statement that nobody signed", expected="400, or ignored")
def unsigned_statement(target: Target) -> None:
    statement = "eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkNoYXRHUFQifQ."
    answer = target.register(body(software_statement=statement))
    expect.that(answer.status_code in {201, 400}, f"HTTP {answer.status_code}")
    expect.that("ChatGPT" not in answer.text, "it believes the statement")


@row("F14", "a registration that says it is text, or a form", expected="400 or 415")
def other_media_types(target: Target) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = target.register(body(), kind=kind)
        expect.that(answer.status_code in {400, 415}, f"{kind}: HTTP {answer.status_code}")
