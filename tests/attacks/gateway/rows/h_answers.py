"""H: answers, browsers and caches."""

from typing import Any

from tests.attacks.gateway.conversation import Conversation
from tests.attacks.gateway.field import JOBS, Field, refused
from tests.attacks.gateway.table import named, row
from tests.attacks.table import NotMet
from tests.attacks.wire import Answer, head
from tests.proxy.raw_backend import answer

GOOD = f"{JOBS}/v1/jobs"
METADATA = "/.well-known/oauth-authorization-server"
JSON = "Content-Type: application/json"


def answered(
    field: Field, *lines: str, body: bytes = b"{}", status: str = "200 OK", target: str = "", token: str = ""
) -> Answer:
    """What a client hears when the backend answers with `lines`.

    Raises:
        NotMet: nothing.
    """
    field.backend.says(answer(body, *lines, status=status), field.usual)
    heard = field.attack(field.get(target or f"{field.fault()}/a", token=token), follow=False).answer
    if heard is None:
        raise NotMet("no answer")
    return heard


CACHED = ("public, max-age=600", "max-age=600", "s-maxage=600", "immutable, public", "no-transform")


@row(
    "H1",
    "Cache-Control that lets everybody keep a person's answer",
    expected="private or no-store, Vary: Authorization",
    cases=named(*CACHED),
)
def cached(field: Field, value: str) -> None:
    heard = answered(field, JSON, f"Cache-Control: {value}", target=GOOD, token="TW")
    directives = {part.strip() for part in heard.headers.get("cache-control", "").split(",")}
    if not directives & {"private", "no-store"} or "public" in directives:
        raise NotMet("caches may keep it")
    if "authorization" not in heard.headers.get("vary", "").lower():
        raise NotMet("no Vary: Authorization")


UNKEYED = ("X-Forwarded-Host", "X-Forwarded-Scheme", "X-Forwarded-Proto", "X-Original-URL", "Forwarded", "X-Host")


@row("H2", "where a document may think it is", expected="its bytes are the same", cases=named(*UNKEYED))
def unkeyed(field: Field, name: str) -> None:
    plain, told = (_document(field, *lines) for lines in ((), (f"{name}: evil",)))
    if plain is None or told is None or plain.status != 200 or plain.body != told.body:
        raise NotMet("the document is another")


def _document(field: Field, *lines: str) -> Answer | None:
    with Conversation(field.port) as wire:
        wire.write(field.get(METADATA, *lines, token=""))
        return wire.answer()


HOSTS = {
    "another": ["Host: evil.example"], "two": ["Host: 127.0.0.1", "Host: evil.example"], "none": [], "empty": ["Host:"],
    "with a user": ["Host: 127.0.0.1@evil.example"], "no port": ["Host: 127.0.0.1:x"], "a list": ["Host: a, b"],
    "twice the same": ["Host: 127.0.0.1", "Host: 127.0.0.1"],
}  # fmt: skip


@row("H3", "Host of another, two, and none", expected="400", cases=HOSTS)
def host(field: Field, lines: list[str]) -> None:
    for target in (GOOD, METADATA, "/oauth/authorize", "/accounts/login/"):
        credential = f"Authorization: Bearer {field.tokens['TW']}"
        refused(field.attack(head("GET", target, *lines, credential)), 400)


INJECTED = {
    "CR": b"X-A: b\rSet-Cookie: evil=1", "NUL": b"X-A: b\0", "folded": b"X-A: b\r\n Set-Cookie: evil=1",
    "high": b"X-A: \xff\xfe", "no colon": b"X-A", "empty name": b": evil",
}  # fmt: skip


@row("H4", "headers of an answer with control characters", expected="502 or left out", cases=INJECTED)
def injected(field: Field, line: bytes) -> None:
    field.backend.says(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 2\r\n\r\n{}", field.usual)
    heard = field.attack(field.get(f"{field.fault()}/a", token=""), follow=False).answer
    if heard is None or heard.status not in {200, 502} or "set-cookie" in heard.headers:
        raise NotMet("it reached the client")
    if any(not value.isprintable() or not value.isascii() for value in heard.headers.values()):
        raise NotMet("it reached the client")


REASONS = ("200 OK\x0bevil", "200 " + "x" * 5000, "200 \xe9", "099 OK", "1000 OK", "20 OK", "200OK", "600 OK",
           "999 OK")  # fmt: skip


@row(
    "H4b",
    "odd status lines",
    expected="502, or a plain 200",
    cases={reason[:12].encode("unicode_escape").decode(): reason for reason in REASONS},
)
def status_line(field: Field, status: str) -> None:
    if answered(field, JSON, status=status).status not in {200, 502, 504}:
        raise NotMet("another status")


ELSEWHERE = (
    "//evil",
    "\\\\evil",
    "https://evil",
    "javascript:alert(1)",
    "/\\evil",
    "http://127.0.0.1/x",
    "/../x",
    "data:,x",
)


@row("H5", "redirects that lead away", expected="without Location", cases=named(*ELSEWHERE))
def redirect(field: Field, place: str) -> None:
    for status in ("302 Found", "201 Created", "300 Multiple Choices"):
        if "location" in answered(field, JSON, f"Location: {place}", status=status).headers:
            raise NotMet("it reached the client")


@row(
    "H5b",
    "redirects to a link-local address",
    expected="never followed",
    cases=named("301 M", "302 F", "303 S", "307 T", "308 P"),
)
def followed(field: Field, status: str) -> None:
    before = len(field.evil.arrived)
    answered(field, f"Location: {field.evil.url}/latest", status=status)
    if len(field.evil.arrived) != before:
        raise NotMet("it was followed")


ACTIVE = (
    "text/html",
    "image/svg+xml",
    "application/javascript",
    "text/xml",
    "application/pdf",
    "text/html; charset=utf-7",
    "multipart/mixed",
    "application/json; a=b, text/html",
    "application/json; a=b\r\nContent-Type: text/html",
)


@row("H6", "answers that a browser would run", expected="sandboxed, nosniff", cases=named(*ACTIVE))
def active(field: Field, media_type: str) -> None:
    _inert(answered(field, f"Content-Type: {media_type}", body=b"<script>1</script>"))


@row("H11", "answers without a media type", expected="sandboxed, nosniff")
def untyped(field: Field, _case: Any) -> None:
    _inert(answered(field, body=b"<script>1</script>"))


def _inert(heard: Answer) -> None:
    if heard.headers.get("x-content-type-options") != "nosniff":
        raise NotMet("no nosniff")
    if "sandbox" not in heard.headers.get("content-security-policy", ""):
        raise NotMet("not sandboxed")


FOREIGN = ("https://evil", "null", "https://chatgpt.com.evil", "https://evilchatgpt.com", "http://chatgpt.com",
           "https://x.chatgpt.com", "HTTPS://CHATGPT.COM.EVIL", "https://chatgpt.com:444", "*", "")  # fmt: skip


@row("H7", "Origin of others", expected="no Access-Control-Allow-Origin, Vary: Origin", cases=named(*FOREIGN))
def cors(field: Field, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        lines = (f"Origin: {origin}", "Access-Control-Request-Method: GET")
        heard = field.attack(field.request(method, GOOD, *lines), follow=False).answer
        if heard is None or "access-control-allow-origin" in heard.headers:
            raise NotMet("it may read the answer")
        if "origin" not in heard.headers.get("vary", "").lower():
            raise NotMet("no Vary: Origin")


@row("H7b", "CORS headers by the backend", expected="removed")
def backend_cors(field: Field, _case: Any) -> None:
    heard = answered(field, JSON, "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true")
    if any(name.startswith("access-control-") for name in heard.headers):
        raise NotMet("they reached the client")


@row(
    "H8",
    "preflights, of unknown places too",
    expected="answered here",
    cases=named(GOOD, f"{JOBS}/v1/none", "/mcp"),
)
def preflight(field: Field, target: str) -> None:
    lines = (
        "Origin: https://chatgpt.com",
        "Access-Control-Request-Method: DELETE",
        "Access-Control-Request-Headers: x-y",
    )
    refused(field.attack(field.request("OPTIONS", target, *lines, token=""), follow=False), 200, 204, 404, 405)


STRANGE = ("Origin: http://evil", "Origin: null", "Host: 127.0.0.1.evil")


@row("H9", "a page of another site at the MCP server", expected="403 or 400", cases=named(*STRANGE))
def rebinding(field: Field, line: str) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    own = [] if line.startswith("Host") else [f"Host: 127.0.0.1:{field.port}"]
    lines = ("Content-Type: application/json", "Accept: application/json, text/event-stream")
    credential = f"Authorization: Bearer {field.tokens['MW']}"
    sent = head("POST", "/mcp", *own, line, credential, *lines, f"Content-Length: {len(body)}") + body
    refused(field.attack(sent), 400, 403)
    if not own:
        return
    outcome = field.attack(sent, follow=False)
    if outcome.status == 200:
        raise NotMet("it is answered")


SECRETS = ("Server: nginx/1.2", "X-Powered-By: PHP/5", "Via: 1.1 internal", "X-Accel-Redirect: /etc",
           "Refresh: 0;url=//evil",
           "Clear-Site-Data: *", "Service-Worker-Allowed: /", "Link: <//evil>; rel=preload", "NEL: {}")  # fmt: skip


@row("H15", "headers that tell or steer", expected="removed", cases=named(*SECRETS))
def telling(field: Field, line: str) -> None:
    name, _, value = line.partition(": ")
    if answered(field, JSON, line).headers.get(name.lower()) == value:
        raise NotMet("it reached the client")
