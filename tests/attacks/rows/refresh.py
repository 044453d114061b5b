"""E: refresh tokens (RFC 9700 sections 2.2.2 and 4.14)."""

from concurrent.futures import ThreadPoolExecutor

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import READ, WRITE, Target

DAY_S = 86_400


@row("E01", "a refresh token used by another client", expected="400 `invalid_grant`")
def foreign(target: Target) -> None:
    expect.token_refused(target.refresh(target.pair()["refresh_token"], "B"), 400, "invalid_grant")


@row("E02", "more scope than was granted", expected="400 `invalid_scope`")
def upscope(target: Target) -> None:
    token = target.pair()["refresh_token"]
    expect.token_refused(target.refresh(token, scope=f"{READ} {WRITE}"), 400, "invalid_scope")


@row("E03", "less scope, then all of it again", expected="narrow access, the grant itself unchanged")
def down_and_up(target: Target) -> None:
    pair = target.pair(scope=f"{READ} {WRITE}")
    narrow = expect.issued(target.refresh(pair["refresh_token"], scope=READ))
    expect.that(narrow["scope"] == READ, "not narrowed")
    wide = expect.issued(target.refresh(narrow["refresh_token"], scope=f"{READ} {WRITE}"))
    expect.that(set(wide["scope"].split()) == {READ, WRITE}, "the grant was narrowed too")


@row("E04", "a refresh token used again two minutes later", expected="400 `invalid_grant`, the whole family dead")
def replay(target: Target) -> None:
    first = target.pair()
    second = expect.issued(target.refresh(first["refresh_token"]))
    target.operate("pass", "120")
    expect.token_refused(target.refresh(first["refresh_token"]), 400, "invalid_grant")
    expect.dead(target, first["access_token"], second["access_token"])
    expect.token_refused(target.refresh(second["refresh_token"]), 400, "invalid_grant")


@row("E05", "the answer got lost: the same refresh at once again", expected="200 both times, the same pair, all alive")
def lost_answer(target: Target) -> None:
    token = target.pair()["refresh_token"]
    first, second = (expect.issued(target.refresh(token)) for _ in range(2))
    expect.that(first["refresh_token"] == second["refresh_token"], "two refresh tokens")
    expect.alive(target, first["access_token"], second["access_token"])
    expect.issued(target.refresh(second["refresh_token"]))


@row("E06", "five refreshes at once", expected="tokens, no 5xx, the family lives on")
def parallel(target: Target) -> None:
    token = target.pair()["refresh_token"]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: target.refresh(token), range(5)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    expect.that(won, "nobody got tokens")
    expect.alive(target, won[0]["access_token"])
    expect.issued(target.refresh(won[0]["refresh_token"]))


@row("E07", "a revoked refresh token at once again", expected="400 `invalid_grant`")
def revoked(target: Target) -> None:
    token = target.pair()["refresh_token"]
    expect.that(target.revoke(token).status_code == 200, "not revoked")
    expect.token_refused(target.refresh(token), 400, "invalid_grant")


@row("E08", "another `resource`", expected="400 `invalid_target`")
def other_resource(target: Target) -> None:
    token = target.pair()["refresh_token"]
    expect.token_refused(target.refresh(token, resource=f"{target.origin}/api/v1/gpt"), 400, "invalid_target")


@row("E09", "a refresh token after 400 idle days", expected="400 `invalid_grant`")
def idle(target: Target) -> None:
    token = target.pair()["refresh_token"]
    target.operate("pass", str(400 * DAY_S))
    expect.token_refused(target.refresh(token), 400, "invalid_grant")


@row("E10", "the person ends the connection; staff deactivate an account", expected="access and refresh dead at once")
def ended(target: Target) -> None:
    pair, other = target.pair(), target.pair(name="bruno")
    for path in target.endings(target.person()):
        target.end(target.person(), path)
    expect.dead(target, pair["access_token"])
    expect.token_refused(target.refresh(pair["refresh_token"]), 400, "invalid_grant")
    target.operate("deactivate", "bruno")
    try:
        expect.dead(target, other["access_token"])
        expect.token_refused(target.refresh(other["refresh_token"]), 400, "invalid_grant")
    finally:
        target.operate("activate", "bruno")


@row("E11", "an access token as refresh token, and the other way round", expected="`invalid_grant`, 401")
def confused(target: Target) -> None:
    pair = target.pair()
    expect.token_refused(target.refresh(pair["access_token"]), 400, "invalid_grant")
    expect.that(not target.opens(pair["refresh_token"]), "the refresh token opens the API")


@row(
    "E12", "a client that does not exist any more refreshes", expected="401 `invalid_client`, so that it registers anew"
)
def gone(target: Target) -> None:
    expect.token_refused(target.refresh("x", client_id="gone"), 401, "invalid_client")
