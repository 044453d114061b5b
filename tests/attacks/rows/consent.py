"""C: the consent page: forgery, framing, binding to what was shown, silent approval (RFC 9700 sections 4.7, 4.16)."""

from urllib.parse import parse_qs, urlsplit

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import READ, WRITE, Person, Target, answered
from tests.journeys.pages import Form, Page


def _denies_code(page: Page) -> None:
    """Whatever came, it is no code."""
    location = page.response.headers.get("location", "")
    expect.that("code" not in parse_qs(urlsplit(location).query), f"{page.status} and a code")


@row("C01", "the form posted without its token, and from another origin", expected="403")
def forgery(target: Target) -> None:
    browser = target.person()
    page = target.ask(browser=browser)
    form = target.consent_form(page)
    fields = {item.name: item.value for item in form.fields if not item.name.startswith("csrf")}
    path = urlsplit(str(page.response.url)).path
    without_token = browser.post(path, fields, Origin=target.origin)
    everything = {item.name: item.value for item in form.fields}
    elsewhere = browser.post(path, everything, Origin="https://evil.example")
    for response in (without_token, elsewhere):
        expect.that(response.status_code == 403, f"HTTP {response.status_code}")


@row("C02", "the consent page in a frame", expected="`frame-ancestors 'none'` and `X-Frame-Options: DENY`")
def framing(target: Target) -> None:
    headers = target.ask().response.headers
    expect.that(headers.get("x-frame-options") == "DENY", "no X-Frame-Options")
    expect.that("frame-ancestors 'none'" in headers.get("content-security-policy", ""), "no frame-ancestors")


@row("C03", "a cache between", expected="`no-store` on consent, token and introspection answers")
def caches(target: Target) -> None:
    page = target.ask()
    pair = target.pair("C")
    token = target.redeem(target.code())
    for name, headers in (
        ("consent", page.response.headers),
        ("token", token.headers),
        ("introspection", target.introspect(pair["access_token"]).headers),
    ):
        expect.that("no-store" in headers.get("cache-control", ""), f"{name} may be stored")


@row("C04", "client and redirect swapped in the form", expected="the code goes to nobody else")
def client_swap(target: Target) -> None:
    browser, other = target.person(), target.clients["B"]
    swapped = [("client_id", other.client_id), ("redirect_uri", other.redirect_uri)]
    page = target.decide(browser, target.ask(browser=browser), answers=swapped)
    location = page.response.headers.get("location", "")
    expect.that(not location.startswith(other.redirect_uri), "the code went to the other client")


@row("C05", "resource swapped in the form", expected="the token is for what was shown")
def resource_swap(target: Target) -> None:
    browser = target.person()
    swapped = [("resource", "https://evil.example/api")]
    page = target.decide(browser, target.ask("C", browser=browser), answers=swapped)
    if page.status in {302, 303}:
        token = expect.issued(target.redeem(answered(page).get("code", ""), "C"))["access_token"]
        told = target.introspect(token).json()
        expect.that("evil.example" not in str(told) and target.opens(token), "the token is for evil.example")


@row("C06", "a form that no page offered", expected="refused")
def no_page(target: Target) -> None:
    browser = target.person()
    token = next(item for item in target.consent_form(target.ask(browser=browser)).fields if "csrf" in item.name)
    invented = {
        **target.query(),
        token.name: token.value,
        "interaction": "a" * 43,
        "decision": "allow",
        "allow": "Authorize",
    }
    response = browser.post(target.paths.authorize, invented, Origin=target.origin)
    code = parse_qs(urlsplit(response.headers.get("location", "")).query).get("code")
    expect.that(not code, f"{response.status_code} and a code")


@row("C07", "ana's page submitted after bruno signed in", expected="refused")
def other_person(target: Target) -> None:
    browser = target.anonymous()
    target.sign_in(browser, "ana")
    page = target.ask(browser=browser)
    target.sign_in(browser, "bruno")
    # Bruno's own token: what is asked is not whether forgery is stopped
    fresh = target.consent_form(target.ask(browser=browser))
    token = next(item for item in fresh.fields if "csrf" in item.name)
    _denies_code(target.decide(browser, page, answers=[(token.name, token.value)]))


@row("C08", "`approval_prompt=auto`", expected="the consent page all the same")
def silent_by_parameter(target: Target) -> None:
    target.pair()
    expect.consent_shown(target, target.ask(approval_prompt="auto"))


@row("C09", "the same to a loopback address and another resource", expected="the consent page, or a refusal")
def silent_to_loopback(target: Target) -> None:
    target.pair()
    address = "http://127.0.0.1:9999/cb"
    for page in (
        target.ask(approval_prompt="auto", redirect_uri=address),
        target.ask(approval_prompt="auto", redirect_uri=address, resource=f"{target.origin}/api/v1/gpt"),
    ):
        _denies_code(page)


@row("C10", "`prompt=consent` when it was allowed before", expected="the consent page")
def prompt_consent(target: Target) -> None:
    target.pair()
    expect.consent_shown(target, target.ask(prompt="consent"))


@row("C11", "`prompt=login` and `max_age=0` in a live session", expected="sign in again, once, then the consent page")
def sign_in_again(target: Target) -> None:
    for wish in ({"prompt": "login"}, {"max_age": "0"}):
        browser = target.anonymous()
        target.sign_in(browser, "ana")
        page = target.ask(browser=browser, **wish)
        expect.that(
            page.forms and any(form.named("password") for form in page.forms),
            f"{next(iter(wish))}: not asked to sign in",
        )
        answers = [("username", "ana"), ("password", target.passwords["ana"])]
        expect.consent_shown(target, browser.submit(page, page.form_with("password"), answers))


@row("C12", "a client called ChatGPT that returns to evil.example", expected="the host on the page, and “unverified”")
def spoofed_name(target: Target) -> None:
    text = target.ask("B").text.lower()
    expect.that("evil.example" in text, "the host is not shown")
    expect.that("not verified" in text or "unverified" in text, "not called unverified")


@row("C13", "a redirect to this computer", expected="said in words")
def loopback_warning(target: Target) -> None:
    text = target.ask(redirect_uri="http://127.0.0.1:9999/cb").text
    expect.that("on this computer" in text and "127.0.0.1:9999" in text, "not said")


@row("C15", "the page's own `form-action`", expected="lets the answer through to the redirect's origin")
def form_action(target: Target) -> None:
    policy = target.ask().response.headers.get("content-security-policy", "")
    sources = [part.split()[1:] for part in policy.split(";") if part.split()[:1] == ["form-action"]]
    origin = "https://c.example"
    expect.that(not sources or origin in sources[0] or "https:" in sources[0], "the browser would stop the answer")


@row("C16", "one of two permissions unticked", expected="tokens for the other one, and the answer says so")
def unticked(target: Target) -> None:
    browser = target.person()
    page = target.ask(browser=browser, scope=f"{READ} {WRITE}")
    answer = answered(target.decide(browser, page, answers=_unticked(target.consent_form(page))))
    scope = expect.issued(target.redeem(answer["code"]))["scope"]
    expect.that(scope == READ, "all or nothing")


def _unticked(form: Form) -> list[tuple[str, str]]:
    # Only a person's means: a page without boxes leaves nothing to untick
    boxes = [item for item in form.named("scope") if item.kind == "checkbox"]
    return [("scope", READ)] if boxes else []


@row("C17", "a session planted before the sign-in", expected="another session afterwards")
def fixation(target: Target) -> None:
    planted: Person = target.anonymous()
    target.sign_in(planted, "bruno")
    value = planted.cookie(target.session_cookie)
    victim = target.anonymous()
    victim.set_cookie(target.session_cookie, value)
    target.sign_in(victim, "ana")
    expect.that(value and victim.cookie(target.session_cookie) != value, "the session is the attacker's")


@row("C18", "the account deactivated between consent and token", expected="400 `invalid_grant`")
def deactivated(target: Target) -> None:
    code = target.code(name="bruno")
    target.operate("deactivate", "bruno")
    try:
        expect.token_refused(target.redeem(code), 400, "invalid_grant")
    finally:
        target.operate("activate", "bruno")
