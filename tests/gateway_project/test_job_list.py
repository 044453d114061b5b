"""The demo's page for its search, in Chromium, in the frame of a client that speaks MCP Apps or OpenAI's words."""

import html
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page

from gateway_project.demo.backends.jobs import JOBS
from gateway_project.demo.job_list import DOCUMENT
from tests.chrome import chrome_running

pytestmark = pytest.mark.browser

FOUND: dict[str, Any] = {"jobs": list(JOBS), "total": len(JOBS), "open_positions": len(JOBS)}
# What a client must let the page reach when it names nothing (MCP Apps, Host Behavior)
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
CLIENT = """
<!doctype html><meta name="viewport" content="width=device-width">
<iframe sandbox="allow-scripts" style="width: 100%; height: 700px; border: 0" srcdoc="{page}"></iframe>
<script>
const told = {told}, frame = document.querySelector("iframe");
window.asked = [];
const send = (message) => frame.contentWindow.postMessage({{ jsonrpc: "2.0", ...message }}, "*");
addEventListener("message", ({{ source, data }}) => {{
  if (source !== frame.contentWindow) return;
  asked.push(data);
  if (!told.context) return;
  if (data.method === "ui/initialize") send({{ id: data.id, result: {{ hostContext: told.context }} }});
  else if (data.id !== undefined) send({{ id: data.id, result: told.refuses ? {{ isError: true }} : {{}} }});
  if (data.method === "ui/notifications/initialized")
    for (const [method, params] of told.messages) send({{ method, params }});
}});
</script>
"""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Chromium; ended with the module, because a process has one of these at a time."""
    with chrome_running() as browser:
        yield browser


@pytest.fixture
def tab(chrome: Browser) -> Iterator[Page]:
    """A phone; whatever the page would load from elsewhere, or gets wrong, ends the test."""
    context = chrome.new_context(viewport={"width": 360, "height": 780}, reduced_motion="reduce", locale="en-US")
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("request", lambda request: faults.append(request.url))
    yield page
    context.close()
    assert not faults


def result(found: object) -> tuple[str, Any]:
    """The message that brings a result."""
    return "ui/notifications/tool-result", {"content": [], "structuredContent": found}


def shown(tab: Page, *messages: tuple[str, Any], refuses: bool = False, script: str = "", **context: str) -> Frame:
    """The page in the frame of a client with this context, after those messages; without a context it says nothing."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    document = DOCUMENT.read_text().replace("<head>", f"<head>{policy}<script>{script}</script>", 1)
    told = json.dumps({"context": context or None, "messages": messages, "refuses": refuses})
    tab.set_content(CLIENT.format(page=html.escape(document), told=told.replace("<", "\\u003c")))
    frame = tab.frames[1]
    frame.wait_for_selector("h1:not(:empty)")
    return frame


@pytest.mark.parametrize(
    ("locale", "theme", "title", "more"),
    [
        ("en-GB", "light", "8 of 8 open positions fit", "Show 4 more"),
        ("pt-BR", "dark", "8 de 8 vagas abertas combinam", "Mostrar mais 4"),
    ],
)
def test_a_result_is_shown_in_the_words_and_colours_of_the_client(
    tab: Page, locale: str, theme: str, title: str, more: str
) -> None:
    frame = shown(tab, result(FOUND), locale=locale, theme=theme)
    frame.wait_for_selector("summary")
    assert frame.inner_text("h1") == title
    assert frame.inner_text("#rest") == more
    assert frame.locator("html").get_attribute("lang") == ("pt-BR" if locale == "pt-BR" else "en")
    dark = frame.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 27, 28)"
    assert dark == (theme == "dark")
    assert frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    sizes = [message["params"]["height"] for message in tab.evaluate("asked") if "size" in message.get("method", "")]
    assert sizes[-1] == frame.evaluate("Math.ceil(document.querySelector('main').getBoundingClientRect().height)")


def test_a_keyboard_is_enough(tab: Page) -> None:
    frame = shown(tab, result(FOUND), locale="en", theme="light")
    frame.wait_for_selector("summary")
    frame.focus("#remote")
    tab.keyboard.press("Enter")
    assert frame.locator("#remote").get_attribute("aria-pressed") == "true"
    assert frame.inner_text("[role=status]") == "5 of 8 open positions fit"
    frame.focus("#rest")
    tab.keyboard.press("Enter")
    # The focus goes on to the first of what has appeared
    assert frame.evaluate("document.activeElement.querySelector('.title').textContent") == "Security engineer"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert frame.evaluate("document.activeElement.getAttribute('aria-label')") == "Apply: Security engineer, Banco Novo"
    tab.keyboard.press("Enter")
    frame.wait_for_function("document.querySelector('[role=status]').textContent === 'Sent to the conversation.'")
    said = [message["params"] for message in tab.evaluate("asked") if message.get("method") == "ui/message"]
    words = "I would like to apply for “Security engineer” at Banco Novo (j-1008)."
    assert said == [{"role": "user", "content": [{"type": "text", "text": words}]}]


def test_a_client_that_takes_no_message_is_told_of(tab: Page) -> None:
    frame = shown(tab, result(FOUND), refuses=True, locale="en")
    frame.locator("summary").first.click()
    frame.locator(".deeds button").first.click()
    refused = "The conversation did not take it. Write it there yourself."
    frame.wait_for_function("words => document.getElementById('said').textContent === words", arg=refused)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (result({"jobs": [], "total": 0, "open_positions": 8}), "No position fits. Try fewer or other words."),
        (("ui/notifications/tool-result", {"content": [], "isError": True}), "The search did not work."),
        (("ui/notifications/tool-result", {"content": [{"type": "text", "text": "no"}]}), "The search did not work."),
        (("ui/notifications/tool-cancelled", {}), "The search was cancelled."),
        (("ui/notifications/tool-input", {"arguments": {}}), "Searching…"),
    ],
)
def test_every_other_end_has_words(tab: Page, message: tuple[str, Any], words: str) -> None:
    frame = shown(tab, message, locale="en")
    frame.wait_for_function("words => document.getElementById('state').textContent === words", arg=words)


def test_words_of_a_backend_stay_words(tab: Page) -> None:
    evil = "<img src=https://evil.example onerror=alert(1)>"
    job = dict.fromkeys(("id", "title", "company", "place", "salary", "summary"), evil)
    frame = shown(tab, result({"jobs": [{**job, "skills": [evil, 7], "remote": "yes"}, None, 7]}), locale="en")
    frame.locator("summary").click()
    assert frame.locator("img").count() == 0
    assert frame.inner_text(".title") == evil
    assert frame.locator(".remote").count() == 0


def test_openais_words_are_understood_where_there_is_no_bridge(tab: Page) -> None:
    openai = {"toolOutput": FOUND | {"jobs": FOUND["jobs"][:1]}, "locale": "pt-BR", "theme": "dark"}
    keeps = "window.openai.sendFollowUpMessage = async (message) => { window.said = message; };"
    frame = shown(tab, script=f"window.openai = {json.dumps(openai)}; {keeps}")
    frame.locator("summary").click()
    assert frame.inner_text("h1") == "1 de 8 vagas abertas combina"
    frame.locator(".deeds button").last.click()
    frame.wait_for_function("window.said")
    assert "Conte mais sobre a vaga “Backend engineer, Python”" in frame.evaluate("window.said.prompt")
    more = json.dumps({"globals": {"toolOutput": FOUND}})
    frame.evaluate(f"dispatchEvent(new CustomEvent('openai:set_globals', {{ detail: {more} }}))")
    assert frame.inner_text("h1") == "8 de 8 vagas abertas combinam"
