"""The MCP project's own Python client against the running gateway: it is given the URL, and does the rest itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp.shared.exceptions import MCPError
from pydantic import AnyUrl

from tests.attacks.target import READ, Target

REDIRECT = "http://localhost:3030/callback"
Mode = Literal["legacy", "auto", "2026-07-28"]


class Storage(TokenStorage):
    """What a client keeps; with a `client`, one that its developer registered."""

    def __init__(self, client: OAuthClientInformationFull | None = None) -> None:
        self.tokens: OAuthToken | None = None
        self.client = client

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens it has."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """New tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Who it is."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Who it has become."""
        self.client = client_info


class Host:
    """A program that connects: its person's browser allows, with the boxes of `allowed` ticked (all when None)."""

    def __init__(
        self,
        server: Target,
        storage: Storage,
        *,
        allowed: set[str] | None = None,
        redirect_uri: str = REDIRECT,
        path: str = "/mcp",
    ) -> None:
        self.server = server
        self.path = path
        self.redirect_uri = redirect_uri
        self.storage = storage
        self.allowed = allowed
        self.visits = 0
        self._answer: dict[str, str] = {}

    @property
    def url(self) -> str:
        """What a person pastes."""
        return f"{self.server.origin}{self.path}"

    async def visit(self, url: str) -> None:
        """The person's part."""
        self.visits += 1
        self._answer = await asyncio.to_thread(self._decide, url)

    async def answer(self) -> AuthorizationCodeResult:
        """What came back to the client's address."""
        found = self._answer
        return AuthorizationCodeResult(code=found["code"], state=found["state"], iss=found.get("iss"))

    def _decide(self, url: str) -> dict[str, str]:
        person = self.server.person()
        page = person.open(url)
        offered = [box.value for box in self.server.consent_form(page).named("scope")]
        ticked = [("scope", name) for name in offered if self.allowed is None or name in self.allowed]
        page = self.server.decide(person, page, answers=ticked)
        return dict(parse_qsl(urlsplit(page.response.headers["location"]).query))

    @asynccontextmanager
    async def connected(self, mode: Mode) -> AsyncIterator[Client]:
        """Connect."""
        metadata = OAuthClientMetadata(client_name="Host", redirect_uris=[AnyUrl(self.redirect_uri)])
        self.provider = OAuthClientProvider(
            server_url=self.url,
            client_metadata=metadata,
            storage=self.storage,
            redirect_handler=self.visit,
            callback_handler=self.answer,
        )
        headers = {"X-Forwarded-For": self.server.address}
        async with (
            httpx2.AsyncClient(auth=self.provider, follow_redirects=True, timeout=30, headers=headers) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=mode) as client,
        ):
            yield client


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
async def test_a_pasted_url_is_enough(server: Target, mode: Mode) -> None:
    host = Host(server, Storage())
    async with host.connected(mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"searchJobs", "submitApplication", "readEcho"} <= tools.keys()
        assert tools["searchJobs"].annotations
        assert tools["searchJobs"].annotations.read_only_hint is True
        found = await client.call_tool("searchJobs", {"keywords": "python"})
        assert found.structured_content
        assert found.structured_content["total"] == 4
        wrong = await client.call_tool("searchJobs", {"keywords": 3})
        assert wrong.is_error
        assert "keywords" in text(wrong)
    assert host.storage.client
    assert host.visits == 1


async def test_a_client_that_was_registered_beforehand(server: Target) -> None:
    known = server.clients["C"]
    client = OAuthClientInformationFull(
        client_id=known.client_id,
        client_secret=known.secret,
        redirect_uris=[AnyUrl(known.redirect_uri)],
        token_endpoint_auth_method="client_secret_post",
    )
    host = Host(server, Storage(client), redirect_uri=known.redirect_uri)
    async with host.connected("auto") as connected:
        names = {tool.name for tool in (await connected.list_tools()).tools}
    # Its staff gave it two permissions, and neither opens a job
    assert names == {"readEcho", "writeEcho"}


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_more_is_asked_for_when_it_is_needed(server: Target, mode: Mode) -> None:
    host = Host(server, Storage(), allowed={READ})
    async with host.connected(mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"readEcho"}
        host.allowed = None
        result = await client.call_tool("writeEcho", {"method": "POST", "body": {"a": 1}})
        assert not result.is_error
    assert host.visits == 2
    assert host.storage.tokens
    assert {READ, "tool:write"} <= set((host.storage.tokens.scope or "").split())


@pytest.mark.parametrize("mode", ["legacy", pytest.param("2026-07-28", marks=pytest.mark.services)])
async def test_tokens_are_renewed_and_what_was_ended_asks_again(server: Target, mode: Mode) -> None:
    host = Host(server, Storage())
    async with host.connected(mode) as client:
        await call(client)
        first = access_token(host)
        # As after an hour: the client goes by its own clock
        host.provider.context.token_expiry_time = 1.0
        await call(client)
        assert access_token(host) != first
        assert host.visits == 1
        person = server.person()
        for path in server.endings(person):
            server.end(person, path)
        await call(client)
        assert host.visits == 2


async def call(client: Client) -> None:
    """Call a tool: of 2026-07-28 on a client keeps lists for a while, and asks nobody."""
    found = await client.call_tool("searchJobs", {"keywords": "python"})
    assert not found.is_error


@pytest.fixture(scope="session")
def careers(started: Target) -> str:
    """The path of an MCP server of one tool, made by a program of the staff."""
    staff = json.loads((Path(started.variables["DATA_DIR"]) / "demo.json").read_text())["staff"]
    wanted = {
        "name": "careers",
        "title": "Careers",
        "instructions": "Search before you apply.",
        "operations": ["searchJobs"],
    }
    made = httpx2.post(
        f"{started.origin}/api/manage/v1/servers/",
        json=wanted,
        auth=(staff["username"], staff["password"]),
        headers={"X-Forwarded-For": started.address},
    )
    assert made.status_code == 201, made.text
    return "/mcp/careers"


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_choice_of_tools_is_a_server_of_its_own(server: Target, careers: str, mode: Mode) -> None:
    host = Host(server, Storage(), path=careers)
    async with host.connected(mode) as client:
        assert client.instructions == "Search before you apply."
        assert [tool.name for tool in (await client.list_tools()).tools] == ["searchJobs"]
        found = await client.call_tool("searchJobs", {"keywords": "python"})
        assert found.structured_content
        assert found.structured_content["total"] == 4
        with pytest.raises(MCPError):
            await client.call_tool("submitApplication", {})
    assert host.visits == 1
    token = {"Authorization": f"Bearer {access_token(host)}", "X-Forwarded-For": server.address}
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for path, status in ((careers, 200), ("/mcp", 401)):
        assert httpx2.post(f"{server.origin}{path}", json=ping, headers=token).status_code == status


def access_token(host: Host) -> str:
    """The one it holds."""
    assert host.storage.tokens
    return host.storage.tokens.access_token


def text(result: Any) -> str:
    """What a model reads of a result."""
    return str(result.content[0].text)
