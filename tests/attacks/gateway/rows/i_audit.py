"""I: what is remembered of an attack, and what is not."""

from typing import Any

from tests.attacks.gateway.field import JOBS, Field, Sent
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet
from tests.attacks.wire import head
from tests.proxy.raw_backend import once, silence

GOOD = f"{JOBS}/v1/jobs"
GARBAGE = once(b"garbage\r\n\r\n")
# What is sent, and how it stands in the audit log: decision, reason, status
CALLS: dict[str, tuple[Sent, tuple[str, str, int]]] = {
    "one that is allowed": (lambda field: field.get(), ("allow", "", 200)),
    # Not one without any: of those the rows above send more than the log has room for in a minute
    "another scheme": (lambda field: field.get(GOOD, "Authorization: Basic YTpi", token=""),
                       ("deny", "malformed", 401)),
    "a revoked token": (lambda field: field.get(token="TREV"), ("deny", "unknown", 401)),
    "a token for another API": (lambda field: field.get(token="TAUD"), ("deny", "wrong_audience", 401)),
    "a permission it lacks": (lambda field: field.post("Content-Length: 0", token="TR"),
                              ("deny", "insufficient_scope", 403)),
    "nothing there": (lambda field: field.get(f"{JOBS}/v1/unknown"), ("deny", "not_registered", 404)),
    "another method": (lambda field: field.request("DELETE", GOOD), ("deny", "method_not_allowed", 405)),
    "a dot segment": (lambda field: field.get(f"{JOBS}/v1/../jobs"), ("deny", "ambiguous_path", 400)),
    "two credentials": (lambda field: field.get(GOOD, "Authorization: Bearer x"), ("deny", "duplicate_header", 400)),
    "an upgrade": (lambda field: field.get(GOOD, "Connection: Upgrade", "Upgrade: websocket"),
                   ("deny", "upgrade_refused", 426)),
    "a body over the limit": (lambda field: field.post("Content-Length: 1073741824"),
                              ("deny", "body_too_large", 413)),
}  # fmt: skip


@row("I0", "calls of every end", expected="each is one event, with its reason", cases=CALLS)
def remembered(field: Field, case: tuple[Sent, tuple[str, str, int]]) -> None:
    sent, expected = case
    heard = field.attack(sent(field), follow=False).answer
    if heard is None:
        raise NotMet("no answer")
    _stands_as(field, heard.headers.get("x-request-id", ""), expected)


FAULTS = {
    "garbage": (GARBAGE, ("error", "backend_protocol_error", 502)),
    "silence": (silence, ("error", "backend_timeout", 504)),
}


@row("I0b", "calls that a backend fails", expected="each is one event, with its reason", cases=FAULTS)
def failed(field: Field, case: tuple[Any, tuple[str, str, int]]) -> None:
    step, expected = case
    heard = field.answered_by(step)
    if heard is None:
        raise NotMet("no answer")
    _stands_as(field, heard.headers.get("x-request-id", ""), expected)


def _stands_as(field: Field, request_id: str, expected: tuple[str, str, int]) -> None:
    found = [(event["decision"], event["reason"], event["status"]) for event in field.events(request_id)]
    if found != [expected]:
        raise NotMet("it is remembered otherwise" if found else "it is not remembered")


LINES = named('"|{{7*7}}${7*7}', "%1b%5b31m", "', decision='allow", '","decision":"allow"}') | {"long": "x" * 4000}


@row("I2", "what would be a line of a log", expected="one event; what was sent is nowhere in it", cases=LINES)
def injected(field: Field, text: str) -> None:
    mark = field.nonce()
    lines = [f"{name}: {mark}{text}" for name in ("User-Agent", "Referer", "X-Request-Id", "X-Agent-Name")]
    plain = "".join(character for character in text if character.isalnum())
    heard = field.attack(field.get(f"{GOOD}/{mark}{plain}?{mark}", *lines), follow=False).answer
    found = field.events(heard.headers.get("x-request-id", "") if heard else "")
    if len(found) != 1:
        raise NotMet("it is not remembered")
    if mark in str(found):
        raise NotMet("it stands in the event")


@row("I6", "tokens and other words in path, query, headers and body", expected="nowhere in database and log")
def secrets(field: Field, _case: Any) -> None:
    secret, token = field.nonce(), field.tokens["TW"]
    body = f'{{"{secret}": "{secret}", "token": "{token}"}}'.encode()
    field.attack(field.get(f"{GOOD}/{secret}?{secret}&token={token}", f"X-Note: {secret}", f"Cookie: s={secret}"))
    field.attack(field.post(f"Content-Length: {len(body)}", target=f"{JOBS}/v1/applications?{secret}") + body)
    field.attack(field.get(f"{GOOD}?access_token={token}", token=""))
    field.attack(head("GET", GOOD, f"Host: 127.0.0.1:{field.port}", f"Authorization: Bearer {secret}"))
    refused = field.attack(field.get(f"{GOOD}/../{secret}")).answer
    kept = field.keeps()
    for what, text in (("the token", token), ("what was sent", secret)):
        if text in kept:
            raise NotMet(f"{what} is kept")
    if refused is None or refused.headers.get("x-request-id", "none") not in kept:
        raise NotMet("nothing is kept")


@row("I7", "X-Request-Id of another call", expected="a new one; two events")
def forged(field: Field, _case: Any) -> None:
    first = field.call(GOOD).answer
    request_id = first.headers.get("x-request-id", "") if first else ""
    second = field.call(GOOD, f"X-Request-Id: {request_id}").answer
    again = second.headers.get("x-request-id", "") if second else ""
    if again == request_id or [len(field.events(each)) for each in (request_id, again)] != [1, 1]:
        raise NotMet("both are one")
