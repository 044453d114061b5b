"""A: the authorization endpoint's client, redirect URI and parameters (RFC 9700 sections 2.1, 4.1 and 4.11)."""

from urllib.parse import urlencode, urlsplit

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import READ, WRITE, Target, answered

REFUSED = "400 on a page of the server's own, no redirect"
TO_CLIENT = "redirect to the registered address with the error, `state` and `iss`"


def _refuses(target: Target, *addresses: str) -> None:
    for address in addresses:
        expect.refused_here(target.ask(redirect_uri=address))


@row("A01", "unknown client with a redirect elsewhere", expected=REFUSED)
def unknown_client(target: Target) -> None:
    expect.refused_here(target.ask(client_id="nope", redirect_uri="https://evil.example/"), 400)


@row("A02", "unregistered redirect", expected=REFUSED)
def unregistered_redirect(target: Target) -> None:
    _refuses(target, "https://evil.example/")


@row("A03", "trailing slash", expected=REFUSED)
def trailing_slash(target: Target) -> None:
    _refuses(target, "https://c.example/cb/")


@row("A04", "the path in another case", expected=REFUSED)
def path_case(target: Target) -> None:
    _refuses(target, "https://c.example/CB")


@row("A05", "the host in another case", expected="400: simple string comparison")
def host_case(target: Target) -> None:
    _refuses(target, "https://C.example/cb")


@row("A06", "the default port written out", expected=REFUSED)
def default_port(target: Target) -> None:
    _refuses(target, "https://c.example:443/cb")


@row("A07", "the registered host as user name", expected=REFUSED)
def userinfo(target: Target) -> None:
    _refuses(target, "https://c.example@evil.example/cb")


@row("A08", "the registered host as prefix of another", expected=REFUSED)
def suffix_domain(target: Target) -> None:
    _refuses(target, "https://c.example.evil.example/cb")


@row("A09", "dot segments, plain and encoded", expected=REFUSED)
def dot_segments(target: Target) -> None:
    _refuses(target, "https://c.example/cb/../x", "https://c.example/x/%2e%2e/cb")


@row("A10", "scheme downgraded to http", expected=REFUSED)
def downgrade(target: Target) -> None:
    _refuses(target, "http://c.example/cb")


@row("A11", "`javascript:`, `data:`, `vbscript:`, `file:`, `blob:`", expected=REFUSED)
def scheme_injection(target: Target) -> None:
    _refuses(target, "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://x/y")


@row("A12", "protocol-relative and backslash", expected=REFUSED)
def browser_repairs(target: Target) -> None:
    _refuses(target, "//evil.example/cb", "https://c.example/cb\\@evil.example", "https:\\\\evil.example/cb")


@row("A13", "any port of the registered loopback address", expected="the consent page")
def loopback_port(target: Target) -> None:
    expect.consent_shown(target, target.ask(redirect_uri="http://127.0.0.1:9999/cb"))


@row("A14", "another loopback host than the registered one", expected=REFUSED)
def loopback_swap(target: Target) -> None:
    _refuses(target, "http://[::1]:5/cb", "http://localhost:5/cb", "http://127.0.0.2:5/cb")


@row("A15", "`http://localhost/callback` registered, a port added", expected="the consent page")
def localhost_port(target: Target) -> None:
    expect.consent_shown(target, target.ask("L", redirect_uri="http://localhost:55564/callback"))


@row("A16", "the app's own scheme, exact and not quite", expected="the consent page; 400 for any other path")
def private_scheme(target: Target) -> None:
    registered = "cursor://anysphere.cursor-mcp/oauth/callback"
    expect.consent_shown(target, target.ask("L", redirect_uri=registered))
    expect.refused_here(target.ask("L", redirect_uri=f"{registered}2"))


@row("A17", "an invalid scope, nobody signed in", expected="no redirect to the client before a person signed in")
def error_without_person(target: Target) -> None:
    page = target.ask(browser=target.anonymous(), scope="nope")
    expect.that(str(page.response.url).startswith(target.origin), "redirect away")
    expect.that(page.status == 200 and page.form_with("password"), f"{page.status} instead of the sign-in page")


@row("A18", "`prompt=none`, nobody signed in", expected="`login_required`, with `state` and `iss`")
def prompt_none(target: Target) -> None:
    expect.refused_to_client(target, target.ask(browser=target.anonymous(), prompt="none"), "login_required")


@row("A19", "approving the consent form", expected="303 or 302, never 307 or 308")
def redirect_status(target: Target) -> None:
    browser = target.person()
    page = target.decide(browser, target.ask(browser=browser))
    expect.that(page.status in {302, 303}, f"HTTP {page.status}")


@row("A20", "credentials in Referer", expected="`Referrer-Policy`, nothing from a third party on the page")
def referrer(target: Target) -> None:
    browser = target.person()
    page = target.ask(browser=browser)
    policies = {"no-referrer", "same-origin"}
    expect.that(page.response.headers.get("referrer-policy") in policies, "no Referrer-Policy")
    own = target.clients["A"].redirect_uri
    foreign = [link for link in page.links if urlsplit(link).netloc and link != own]
    expect.that(not foreign, "a third party is on the page")


@row("A21", "`response_mode=fragment` and `form_post`", expected="`invalid_request`; the metadata agrees")
def response_modes(target: Target) -> None:
    for mode in ("fragment", "form_post"):
        expect.refused_to_client(target, target.ask(response_mode=mode), "invalid_request")
    expect.that(target.metadata().get("response_modes_supported") == ["query"], "the metadata does not say so")


@row("A22", "`client_id` twice", expected=REFUSED)
def two_clients(target: Target) -> None:
    expect.refused_here(target.ask(twice="client_id"))


@row("A23", "`redirect_uri` twice", expected=REFUSED)
def two_redirects(target: Target) -> None:
    expect.refused_here(target.ask(twice="redirect_uri"))


@row("A24", "`scope`, `state` or `code_challenge` twice", expected=REFUSED)
def two_of_the_rest(target: Target) -> None:
    for name in ("scope", "state", "code_challenge"):
        expect.refused_here(target.ask(twice=name))


@row("A25", "`request` and `request_uri`", expected=f"{TO_CLIENT}; nothing is fetched")
def request_objects(target: Target) -> None:
    expect.refused_to_client(target, target.ask(request="eyJhbGciOiJub25lIn0.e30."), "request_not_supported")
    page = target.ask(request_uri="http://169.254.169.254/")
    expect.refused_to_client(target, page, "request_uri_not_supported")


@row("A26", "`response_type=token` and `id_token token`", expected=TO_CLIENT)
def implicit(target: Target) -> None:
    for kind in ("token", "id_token token"):
        page = target.ask(response_type=kind)
        expect.refused_to_client(target, page, "unsupported_response_type", "unauthorized_client")


@row("A27", "an unknown scope", expected=TO_CLIENT)
def unknown_scope(target: Target) -> None:
    expect.refused_to_client(target, target.ask(scope="nope"), "invalid_scope")


@row("A28", "a scope this client may not ask for", expected="`invalid_scope`, or consent without it")
def foreign_scope(target: Target) -> None:
    browser = target.person()
    page = target.ask("B", browser=browser, scope=f"{READ} {WRITE}")
    if page.status == 200:
        code = answered(target.decide(browser, page))["code"]
        expect.that(WRITE not in expect.issued(target.redeem(code, "B"))["scope"], "the scope was granted")
        return
    expect.refused_to_client(target, page, "invalid_scope", client="B")


@row("A29", "an access token instead of a session", expected="nobody is signed in")
def token_as_session(target: Target) -> None:
    token = target.pair()["access_token"]
    response = target.get(f"{target.paths.authorize}?{urlencode(target.query())}", Authorization=f"Bearer {token}")
    expect.that(response.status_code == 302, f"HTTP {response.status_code}")
    expect.that("login" in response.headers["location"], "redirect to somewhere else than the sign-in page")
