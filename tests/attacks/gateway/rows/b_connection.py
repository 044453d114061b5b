"""B: hop-by-hop headers, and what Connection lists."""

from typing import Any

from tests.attacks.gateway.field import ALICE, JOBS, Field, refused
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet
from tests.proxy.raw_backend import answer

INJECTED = ("x-user-id", "x-client-id", "x-scopes", "x-request-id", "x-request-deadline-ms", "traceparent",
            "x-gateway-identity")  # fmt: skip


def injected(field: Field, *lines: str) -> Any:
    """The request as the backend received it, with every header that the gateway adds.

    Raises:
        NotMet: one is missing, doubled or another's.
    """
    received = field.call(f"{JOBS}/v1/jobs", *lines).received
    lacking = [name for name in INJECTED if len(received.values(name)) != 1]
    if lacking or received.header("x-user-id") != ALICE:
        raise NotMet(f"the backend got {', '.join(lacking) or 'another user'}: none, or more than one")
    return received


LISTS = ("close, X-User-Id, X-Gateway-Identity, X-Org-Id", "X-User-Id", "x-user-id,x-request-id,traceparent")


@row("B1", "Connection lists identity headers", expected="they arrive all the same", cases=named(*LISTS))
def strips_identity(field: Field, listed: str) -> None:
    injected(field, f"Connection: {listed}", "X-User-Id: evil")


FRAMING = ("X-Forwarded-For, Host, Content-Length", "Authorization", "Cookie, Authorization, Host", "Transfer-Encoding")


@row("B2", "Connection lists what frames or authorises", expected="no effect", cases=named(*FRAMING))
def strips_framing(field: Field, listed: str) -> None:
    received = injected(field, f"Connection: {listed}")
    if len(received.values("host")) != 1 or len(received.values("x-forwarded-for")) != 1:
        raise NotMet("the backend misses Host or X-Forwarded-For")


@row("B3", "Connection lists an extension", expected="removed")
def extension(field: Field, _case: Any) -> None:
    if injected(field, "Connection: X-Foo", "X-Foo: 1").values("x-foo"):
        raise NotMet("the backend received it")


HOSTILE = ("Connection: Set-Cookie, X-A", "Keep-Alive: timeout=999", "Proxy-Authenticate: Basic realm=evil",
           "Upgrade: h2c", 'Alt-Svc: h2="evil:443"', "Set-Cookie: session=evil", "Proxy-Connection: keep-alive",
           "X-A: evil\r\nConnection: X-A")  # fmt: skip


@row("B4", "hop-by-hop headers of an answer", expected="removed", cases=named(*HOSTILE))
def of_answers(field: Field, line: str) -> None:
    field.backend.says(answer(b"{}", "Content-Type: application/json", line), field.usual)
    heard = field.attack(field.get(f"{field.fault()}/a", token=""), follow=False).answer
    name = line.partition(":")[0].lower()
    if heard is None or heard.status != 200 or (name in heard.headers and name != "connection"):
        raise NotMet("it reached the client")
    if "set-cookie" in heard.headers.get("connection", "").lower():
        raise NotMet("its Connection reached the client")


SEVERAL = {
    "two headers": ["Connection: close", "Connection: X-User-Id"],
    "odd case": ["CoNNection: x-USER-id, X-GATEWAY-identity"],
    "tabs": ["Connection: \tX-User-Id\t,\t traceparent \t"],
    "empty members": ["Connection: ,, X-User-Id,,"],
    "proxy connection": ["Proxy-Connection: X-User-Id", "Keep-Alive: X-User-Id"],
}


@row("B5", "several Connection headers, odd ones", expected="every added header arrives", cases=SEVERAL)
def several(field: Field, lines: list[str]) -> None:
    injected(field, *lines)


@row("B6", "TRACE with Max-Forwards", expected="405", cases=named("TRACE", "OPTIONS"))
def max_forwards(field: Field, method: str) -> None:
    outcome = field.attack(field.request(method, f"{JOBS}/v1/jobs", "Max-Forwards: 0"))
    refused(outcome, 405, 204)
    if outcome.answer and b"Max-Forwards" in outcome.answer.body:
        raise NotMet("the request is echoed")


@row("B6b", "Via of twenty gateways", expected="200 or 508, not longer than it was")
def via(field: Field, _case: Any) -> None:
    outcome = field.call(f"{JOBS}/v1/jobs", *["Via: 1.1 gateway"] * 20)
    if outcome.status not in {200, 508} or sum(len(arrived.values("via")) for arrived in outcome.arrived) > 1:
        raise NotMet(f"{outcome.status}")


@row("B6c", "a call that comes back to the gateway that sent it", expected="508")
def loop(field: Field, _case: Any) -> None:
    own = field.call(f"{JOBS}/v1/jobs").received.values("via")
    if not own:
        raise NotMet("no Via")
    refused(field.call(f"{JOBS}/v1/jobs", f"Via: {own[0]}"), 508)
