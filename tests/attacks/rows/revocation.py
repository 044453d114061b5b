"""H: revocation and introspection (RFC 7009, RFC 7662)."""

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import Target


@row("H01", "revoke another client's token", expected="200 or 400, and it lives")
def foreign(target: Target) -> None:
    token = target.pair()["access_token"]
    expect.that(target.revoke(token, "C").status_code in {200, 400}, "another answer")
    expect.alive(target, token)


@row("H02", "revoke what was never issued", expected="200")
def unknown(target: Target) -> None:
    response = target.revoke("never-issued")
    expect.that(response.status_code == 200, f"HTTP {response.status_code}")


@row("H03", "revoke the refresh token; revoke an access token", expected="all of it dead; that access token dead")
def cascade(target: Target) -> None:
    pair = target.pair()
    target.revoke(pair["refresh_token"])
    expect.dead(target, pair["access_token"])
    other = target.pair()
    target.revoke(other["access_token"])
    expect.dead(target, other["access_token"])


@row("H04", "a confidential client's token revoked without its secret", expected="401, and it lives")
def unauthenticated(target: Target) -> None:
    token = target.pair("C")["access_token"]
    response = target.revoke(token, "C", client_secret=None)
    expect.that(response.status_code == 401, f"HTTP {response.status_code}")
    expect.alive(target, token)


@row("H05", "introspection by nobody, and with a person's token", expected="401")
def anonymous(target: Target) -> None:
    token = target.pair()["access_token"]
    path, fields = target.paths.introspect, {"token": token}
    for response in (target.post(path, fields), target.post(path, fields, Authorization=f"Bearer {token}")):
        expect.that(response.status_code == 401, f"HTTP {response.status_code}")


@row("H06", "introspection of random and of foreign tokens", expected='`{"active": false}` and nothing else')
def scanning(target: Target) -> None:
    for token in ("random", "gha_" + "x" * 43, target.pair("B", name="bruno")["access_token"]):
        response = target.introspect(token, "C")
        expect.that(response.status_code == 200, f"HTTP {response.status_code}")
        expect.that(response.json() == {"active": False}, "told about another client's token")
