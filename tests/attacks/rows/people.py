"""J and Z: what a person can end, and what every page says to the browser."""

from typing import Any

from tests.attacks import expect
from tests.attacks.table import row
from tests.attacks.target import Target


@row("J01", "end somebody else's connection", expected="404, and it lives")
def foreign_connection(target: Target) -> None:
    token = target.pair()["access_token"]
    path = target.endings(target.person())[0]
    other = target.person("bruno")
    target.pair(name="bruno")
    page = other.open(target.endings(other)[0])
    form = next(form for form in page.forms if form.method == "post" and "logout" not in form.action)
    fields = {item.name: item.value for item in form.fields if item.is_sent}
    response = other.post(path, fields, Origin=target.origin)
    expect.that(response.status_code == 404, f"HTTP {response.status_code}")
    expect.alive(target, token)


@row("J02", "end a connection with a link", expected="nothing happens")
def by_get(target: Target) -> None:
    token = target.pair()["access_token"]
    for path in target.endings(target.person()):
        target.person().get(path)
    expect.alive(target, token)


@row("J03", "end a connection with an access token, nobody signed in", expected="nothing happens")
def with_a_token(target: Target) -> None:
    token = target.pair()["access_token"]
    for path in target.endings(target.person()):
        target.post(path, {}, Authorization=f"Bearer {token}")
    expect.alive(target, token)


@row("J09", "the page of connections in a frame", expected="`frame-ancestors 'none'`")
def framed(target: Target) -> None:
    policy = target.person().open(target.paths.connections).response.headers.get("content-security-policy", "")
    expect.that("frame-ancestors 'none'" in policy, "no frame-ancestors")


@row("J10", "end the same connection twice, from two tabs", expected="a redirect or a page both times")
def twice(target: Target) -> None:
    token = target.pair()["access_token"]
    browser = target.person()
    path = target.endings(browser)[0]
    page = browser.open(path)
    form = next(form for form in page.forms if form.method == "post" and "logout" not in form.action)
    answers = [browser.submit(page, form) for _ in range(2)]
    expect.that([answer.status for answer in answers] == [200, 200], f"the second answer is {answers[1].status}")
    for rest in target.endings(browser) if target.opens(token) else []:
        target.end(browser, rest)
    expect.dead(target, token)


@row("Z02", "markup in every parameter of an authorization request", expected="never on the page as markup, no 5xx")
def markup(target: Target) -> None:
    hostile = "\"'><script>alert(1)</script>"
    for name in target.query():
        change: dict[str, Any] = {name: hostile}
        page = target.ask(**change)
        expect.that("<script>alert" not in page.response.text, f"{name} is on the page as markup")


@row("Z03", "the headers of the sign-in and consent pages", expected="strict CSP, nosniff, Referrer-Policy, COOP")
def headers(target: Target) -> None:
    for page in (target.anonymous().open(target.paths.sign_in), target.ask()):
        sent = page.response.headers
        policy = sent.get("content-security-policy", "")
        expect.that(policy and "unsafe-inline" not in policy, "no strict CSP")
        expect.that(sent.get("x-content-type-options") == "nosniff", "no nosniff")
        expect.that("referrer-policy" in sent, "no Referrer-Policy")
        expect.that(sent.get("cross-origin-opener-policy") == "same-origin", "no COOP")


@row("Z03b", "the session cookie", expected="HttpOnly, SameSite=Lax")
def cookie(target: Target) -> None:
    browser = target.anonymous()
    page = browser.open(target.paths.sign_in)
    form = page.form_with("password")
    fields = {item.name: item.value for item in form.fields if item.is_sent}
    fields |= {"username": "ana", "password": target.passwords["ana"]}
    response = browser.post(target.paths.sign_in, fields, Origin=target.origin)
    written = [line for line in response.headers.get_list("set-cookie") if line.startswith(target.session_cookie)]
    expect.that(written, "nobody is signed in")
    expect.that("httponly" in written[0].lower() and "samesite=lax" in written[0].lower(), "the cookie is too open")
