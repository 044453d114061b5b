"""fastmcp's client against the running gateway: it opens a browser itself and listens for the answer."""

import time
import webbrowser
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastmcp.client import Client
from fastmcp.client.auth import OAuth

from tests.attacks.target import READ, Person, Target
from tests.journeys.pages import Page

WITHIN_S = 30
# It says that a restart would forget its tokens
pytestmark = [pytest.mark.services, pytest.mark.filterwarnings("ignore:Using in-memory token storage")]


class Browser:
    """The browser that the client opens, and its person, who allows what is in `allowed` (all when None)."""

    def __init__(self, server: Target) -> None:
        self.server = server
        self.allowed: set[str] | None = None
        self.visits = 0
        self.hands = ThreadPoolExecutor(1)

    def open(self, url: str) -> bool:
        """As `webbrowser.open`: the page stays open while the client begins to listen."""
        self.visits += 1
        self.hands.submit(self._decide, url)
        return True

    def _decide(self, url: str) -> None:
        person = self.server.person()
        page = person.open(url)
        offered = [box.value for box in self.server.consent_form(page).named("scope")]
        ticked = [("scope", name) for name in offered if self.allowed is None or name in self.allowed]
        _follow(person, self.server.decide(person, page, answers=ticked))


def _follow(person: Person, page: Page) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            person.follow(page)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def browser(server: Target, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """The browser of this machine."""
    opened = Browser(server)
    monkeypatch.setattr(webbrowser, "open", opened.open)
    yield opened
    opened.hands.shutdown()


@asynccontextmanager
async def connected(server: Target) -> AsyncIterator[tuple[Client[Any], OAuth]]:
    """A client that was given the URL, and what it keeps."""
    url = f"{server.origin}/mcp"
    provider = OAuth(mcp_url=url)
    async with Client(url, auth=provider) as client:
        yield client, provider


async def test_a_pasted_url_is_enough_and_more_is_asked_for_when_it_is_needed(server: Target, browser: Browser) -> None:
    browser.allowed = {READ}
    async with connected(server) as (client, _provider):
        assert {tool.name for tool in await client.list_tools()} == {"readEcho"}
        browser.allowed = None
        result = await client.call_tool("writeEcho", {"method": "POST", "body": {"a": 1}})
        assert not result.is_error
        assert "searchJobs" in {tool.name for tool in await client.list_tools()}
    assert browser.visits == 2


async def test_tokens_are_renewed_and_what_was_ended_asks_again(server: Target, browser: Browser) -> None:
    async with connected(server) as (client, provider):
        found = await client.call_tool("searchJobs", {"keywords": "python"})
        assert found.structured_content
        assert found.structured_content["total"] == 4
        tokens = provider.context.current_tokens
        assert tokens
        # As after an hour: the client goes by its own clock
        provider.context.token_expiry_time = 1.0
        await client.list_tools()
        assert provider.context.current_tokens
        assert provider.context.current_tokens.access_token != tokens.access_token
        assert browser.visits == 1
        person = server.person()
        for path in server.endings(person):
            server.end(person, path)
        assert await client.list_tools()
        assert browser.visits == 2
