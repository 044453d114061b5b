"""B: PKCE, authorization codes and mix-up (RFC 9700 sections 2.1.1 and 4.5 to 4.8, RFC 7636, RFC 9207)."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import VERIFIER, Target, answered

TO_CLIENT = "`invalid_request` to the client"


@row("B01", "no PKCE, from a public and a confidential client", expected=TO_CLIENT)
def no_challenge(target: Target) -> None:
    for client in ("A", "C"):
        page = target.ask(client, code_challenge=None, code_challenge_method=None)
        expect.refused_to_client(target, page, "invalid_request", client=client)


@row("B02", "`code_challenge_method=plain`", expected=TO_CLIENT)
def plain(target: Target) -> None:
    page = target.ask(code_challenge=VERIFIER, code_challenge_method="plain")
    expect.refused_to_client(target, page, "invalid_request")


@row("B03", "a challenge without a method, which means plain", expected=TO_CLIENT)
def no_method(target: Target) -> None:
    expect.refused_to_client(target, target.ask(code_challenge_method=None), "invalid_request")


@row("B04", "no verifier", expected="400 `invalid_grant` or `invalid_request`")
def no_verifier(target: Target) -> None:
    response = target.redeem(target.code(), code_verifier=None)
    expect.token_refused(response, 400, "invalid_grant", "invalid_request")


@row("B05", "a wrong verifier", expected="400 `invalid_grant`")
def wrong_verifier(target: Target) -> None:
    expect.token_refused(target.redeem(target.code(), code_verifier="w" * 64), 400, "invalid_grant")


@row("B06", "a wrong verifier, then the right one", expected="refused, then tokens: a stranger cannot burn a code")
def verifier_guessed(target: Target) -> None:
    code = target.code()
    expect.token_refused(target.redeem(code, code_verifier="w" * 64), 400, "invalid_grant")
    expect.issued(target.redeem(code))


@row("B07", "the challenge dropped from or emptied in the consent form", expected="the code still needs the verifier")
def challenge_stripped(target: Target) -> None:
    browser = target.person()
    empty = [("code_challenge", ""), ("code_challenge_method", "")]
    page = target.decide(browser, target.ask(browser=browser), answers=empty)
    code = answered(page).get("code", "")
    expect.that(target.redeem(code, code_verifier=None).status_code == 400, "tokens without the verifier")


@row("B08", "a code redeemed twice", expected="400 `invalid_grant`, and what it bought is dead")
def replay(target: Target) -> None:
    code = target.code()
    bought = expect.issued(target.redeem(code))
    expect.token_refused(target.redeem(code), 400, "invalid_grant")
    expect.dead(target, bought["access_token"])
    expect.token_refused(target.refresh(bought["refresh_token"]), 400, "invalid_grant")


@row("B09", "a code redeemed 20 times at once", expected="one 200, no 5xx, and what it bought is dead")
def parallel_replay(target: Target) -> None:
    code = target.code()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: target.redeem(code), range(20)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    expect.that(len(won) == 1, "not exactly one pair")
    expect.dead(target, won[0]["access_token"])


@row("B10", "another `redirect_uri` at the token endpoint", expected="400 `invalid_grant`")
def wrong_redirect(target: Target) -> None:
    response = target.redeem(target.code(), redirect_uri="http://127.0.0.1/cb")
    expect.token_refused(response, 400, "invalid_grant")


@row("B11", "no `redirect_uri` at the token endpoint, with PKCE", expected="200: OAuth 2.1 removed the parameter")
def no_redirect(target: Target) -> None:
    expect.issued(target.redeem(target.code(), redirect_uri=None))


@row("B12", "a code older than its 60 s", expected="400 `invalid_grant`")
def expired(target: Target) -> None:
    code = target.code()
    target.operate("pass", "61")
    expect.token_refused(target.redeem(code), 400, "invalid_grant")


@row("B13", "a loopback code redeemed with another port", expected="400 `invalid_grant`")
def loopback_port(target: Target) -> None:
    code = target.code(redirect_uri="http://127.0.0.1:4001/cb")
    response = target.redeem(code, redirect_uri="http://127.0.0.1:4002/cb")
    expect.token_refused(response, 400, "invalid_grant")


@row("B14", "`iss` on success", expected="once, and the metadata's issuer byte for byte")
def iss_on_success(target: Target) -> None:
    browser = target.person()
    answer = answered(target.decide(browser, target.ask(browser=browser)))
    expect.that("iss" in answer, "no iss")
    expect.that(answer["iss"] == target.metadata()["issuer"], "iss is not the issuer")


@row("B15", "`iss` on every error: denied, bad scope, no PKCE, `prompt=none`", expected="always there")
def iss_on_errors(target: Target) -> None:
    browser = target.person()
    pages = [
        target.decide(browser, target.ask(browser=browser), allow=False),
        target.ask(scope="nope"),
        target.ask(code_challenge=None, code_challenge_method=None),
        target.ask(browser=target.anonymous(), prompt="none"),
    ]
    without = [page for page in pages if "iss" not in parse_qs(urlsplit(page.response.headers["location"]).query)]
    expect.that(not without, f"{len(without)} of 4 without iss")
