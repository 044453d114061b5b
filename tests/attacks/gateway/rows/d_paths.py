"""D: paths, routing, methods, and the tools of MCP."""

import json
from typing import Any

from tests.attacks.gateway.field import JOBS, Field, refused
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet

GOOD = f"{JOBS}/v1/jobs"


def no_way(field: Field, target: str, *statuses: int) -> None:
    """Neither the backend nor the listener is called."""
    before = len(field.evil.arrived)
    refused(field.call(target), *statuses)
    if len(field.evil.arrived) != before:
        raise NotMet("the listener was called")


DOTS = ("/../../admin/x", "/./", "/..", "/../jobs", "/.", "/x/../../jobs")


@row("D1", "dot segments", expected="400", cases=named(*DOTS))
def dots(field: Field, rest: str) -> None:
    no_way(field, GOOD + rest, 400)


ENCODED = ("/%2e%2e/x", "/%2E./x", "/.%2e/x", "/%2e", "/%252e%252e/x", "/..%2f")


@row("D2", "encoded dots", expected="400", cases=named(*ENCODED))
def encoded_dots(field: Field, rest: str) -> None:
    no_way(field, GOOD + rest, 400)


SLASHES = ("/%2f..%2fadmin", "/x%2Fy", "/%5c..%5cadmin", "/\\..\\x", "/x%5cy", "/x%252fy")


@row("D3", "encoded slashes and backslashes", expected="400", cases=named(*SLASHES))
def slashes(field: Field, rest: str) -> None:
    no_way(field, GOOD + rest, 400)


DOUBLED = ("/" + GOOD, "//" + GOOD, "/api/v1//jobs/v1/jobs", f"{JOBS}//v1/jobs", "//evil" + GOOD, GOOD + "//")


@row("D4", "doubled slashes", expected="400 or 404", cases=named(*DOUBLED))
def doubled(field: Field, target: str) -> None:
    no_way(field, target, 400, 404)


MATRIX = (
    f"{JOBS};x=/../admin",
    f"{JOBS}/v1/jobs;/admin",
    f"{GOOD};a=1",
    f"{GOOD}/..;/x",
    f"{GOOD}%3ba=1",
    f"{GOOD}/a;x/../y",
)


@row("D5", "parameters of a segment", expected="400", cases=named(*MATRIX))
def matrix(field: Field, target: str) -> None:
    no_way(field, target, 400)


BYTES = ("%c0%ae", "%ff", "\xff", "%zz", "%", "%a", "%00", "%0d%0a", "%7f", "\x7f", "%ed%a0%80", "a%c0%afb")


@row("D6", "bytes that are no text", expected="400", cases=named(*BYTES))
def no_text(field: Field, rest: str) -> None:
    no_way(field, f"{GOOD}/{rest}", 400)


@row("D7", "a fragment", expected="400, or never sent on", spares="httpx drops it")
def fragment(field: Field, _case: Any) -> None:
    outcome = field.call(f"{GOOD}#/../admin")
    if outcome.status not in {200, 400} or any("#" in arrived.target for arrived in outcome.arrived):
        raise NotMet(f"{outcome.status}")


@row("D8", "a target with a host", expected="its host decides nothing", cases=named("evil", "backend"))
def absolute(field: Field, whose: str) -> None:
    port = field.evil.port if whose == "evil" else field.backend.port
    before = len(field.evil.arrived)
    outcome = field.call(f"http://127.0.0.1:{port}{GOOD}")
    if len(field.evil.arrived) != before:
        raise NotMet("the listener was called")
    if outcome.status not in {200, 400} or any("http:" in arrived.target for arrived in outcome.arrived):
        raise NotMet(f"{outcome.status}")


@row("D8b", "a target with a host, behind the prefix", expected="400 or 404, the host not called")
def joined(field: Field, _case: Any) -> None:
    no_way(field, f"{JOBS}/http://127.0.0.1:{field.evil.port}/x", 400, 404)


LINES = ("CONNECT evil:443", "OPTIONS *", "GET evil:80", "GET *", "CONNECT /api/v1/jobs/v1/jobs")


@row("D9", "other forms of a target", expected="400, 405 or closed", cases=named(*LINES))
def forms(field: Field, line: str) -> None:
    method, _, target = line.partition(" ")
    refused(field.attack(field.request(method, target)), 400, 404, 405, 501)


ALIKE = (
    "/API/V1/Jobs/V1/JOBS",
    f"{GOOD}/",
    f"{GOOD}.json",
    f"{GOOD}%20",
    f"{GOOD}.",
    f"{GOOD}%0a",
    f"{JOBS}/V1/jobs",
    f"{JOBS}",
)


@row("D10", "what only looks like the path", expected="404 or 400", cases=named(*ALIKE))
def alike(field: Field, target: str) -> None:
    no_way(field, target, 404, 400)


LONGER = (
    "/api/v1/jobs-internal/v1/jobs",
    "/api/v1/jobsX/v1/jobs",
    f"{GOOD}_private",
    f"{GOOD}x",
    "/api/v1/job/v1/jobs",
)


@row("D11", "a longer name with the same beginning", expected="404", cases=named(*LONGER))
def longer(field: Field, target: str) -> None:
    no_way(field, target, 404)


@row(
    "D12",
    "what nobody registered, with a good token",
    expected="404 problem+json",
    cases=named(f"{JOBS}/v1/unknown", f"{JOBS}/admin/x"),
)
def unregistered(field: Field, target: str) -> None:
    outcome = field.call(target)
    refused(outcome, 404)
    if outcome.answer is None or outcome.answer.headers.get("content-type") != "application/problem+json":
        raise NotMet("no problem+json")


@row(
    "D13",
    "methods in another case, and none at all",
    expected="400, 405 or 501",
    cases=named("FOO", "get", "Get", "PROPFIND", "GET\t", "G\0T", "QUERY"),
)
def method(field: Field, name: str) -> None:
    refused(field.attack(field.request(name, GOOD)), 400, 405, 501)


@row("D13b", "HEAD", expected="as GET, without a body")
def head_of_get(field: Field, _case: Any) -> None:
    before = len(field.backend.arrived)
    refused(field.attack(field.request("HEAD", GOOD, token="TAUD"), follow=False), 401)
    refused(field.attack(field.request("HEAD", f"{JOBS}/v1/applications"), follow=False), 405)
    if len(field.backend.arrived) != before:
        raise NotMet("the backend was called")


@row("D13c", "OPTIONS with a token and without Origin", expected="answered here")
def options(field: Field, _case: Any) -> None:
    refused(field.attack(field.request("OPTIONS", GOOD), follow=False), 204, 405)


@row("D14", "TRACE and its kin", expected="405, nothing echoed", cases=named("TRACE", "TRACK", "DEBUG"))
def trace(field: Field, name: str) -> None:
    outcome = field.attack(field.request(name, GOOD, "X-Secret: echoed"))
    refused(outcome, 405, 501)
    if outcome.answer and b"echoed" in outcome.answer.body:
        raise NotMet("the request is echoed")


QUERIES = (
    "scope=read&scope=write",
    "id=1;id=2",
    "__proto__=1",
    "a+b=c%20d",
    "a=%2F..%2f&b",
    "&&=&",
    "q=%C3%A9",
    "a[b]=c",
)


@row("D15", "queries that can be read in two ways", expected="sent on byte for byte", cases=named(*QUERIES))
def query(field: Field, raw: str) -> None:
    if field.call(f"{GOOD}?{raw}").received.target != f"/base/v1/jobs?{raw}":
        raise NotMet("the backend got another query")


@row("D15b", "ten thousand parameters", expected="414 or 400")
def many_parameters(field: Field, _case: Any) -> None:
    refused(field.call(f"{GOOD}?{'a=1&' * 10_000}"), 400, 414)


def tool(name: Any, **arguments: Any) -> dict[str, Any]:
    """A call of a tool."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


APPLY = json.dumps(tool("apply", body={"job": "1"})).encode()
MESSAGES: dict[str, bytes] = {
    "a batch of two": json.dumps([tool("search_jobs"), tool("apply")]).encode(),
    "a name twice": APPLY.replace(b'"name"', b'"name": "search_jobs", "name"'),
    "a method twice": APPLY.replace(b'"method"', b'"method": "tools/list", "method"'),
    "byte order mark": b"\xef\xbb\xbf" + APPLY,
    "UTF-16": APPLY.decode().encode("utf-16"),
    "1e400": APPLY.replace(b'"id": 1', b'"id": 1e400'),
    "nesting": b"[" * 10_000,
    "nested argument": APPLY.replace(b'"1"', b"[" * 10_000 + b"]" * 10_000),
    "a list for a name": json.dumps(tool(["apply"])).encode(),
    "half a character": APPLY.replace(b'"apply"', b'"\\ud800"'),
    "NaN": APPLY.replace(b'"id": 1', b'"id": NaN'),
    "no JSON": b"{",
}


@row(
    "D16",
    "messages that can be read in two ways, without the permission",
    expected="refused, backend not called",
    cases=MESSAGES,
)
def message(field: Field, body: bytes) -> None:
    outcome = _rpc(field, body, "MR")
    refused(outcome, 400, 403, 413, 415, 200)
    if (
        outcome.status == 200
        and outcome.answer
        and b'"error"' not in outcome.answer.body
        and b"isError" not in outcome.answer.body
    ):
        raise NotMet("it was carried out")


@row("D16b", "headers that name another tool than the body", expected="refused, backend not called")
def headers_and_body(field: Field, _case: Any) -> None:
    outcome = _rpc(field, APPLY, "MR", "Mcp-Method: tools/call", "Mcp-Name: search_jobs")
    refused(outcome, 400, 403, 200)


ALIASES = (
    "search_jobs\0",
    "Search_Jobs",
    "payroll.search",
    "search_j\u043ebs",
    " search_jobs",
    "search_jobs ",
    "jobs/search_jobs",
    "",
)


@row("D17", "names that only look like a tool's", expected="no such tool", cases=named(*ALIASES))
def alias(field: Field, name: str) -> None:
    outcome = _rpc(field, json.dumps(tool(name)).encode(), "MW")
    refused(outcome, 200, 400, 404)
    if outcome.answer is None or b"rror" not in outcome.answer.body:
        raise NotMet("no error")


def _rpc(field: Field, body: bytes, token: str, *lines: str) -> Any:
    own = (
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
    )
    return field.attack(field.request("POST", "/mcp", *own, *lines, token=token) + body)
