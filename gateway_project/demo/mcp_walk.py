"""What an MCP client does that knows one URL and nothing else, to the day it is disconnected, one step at a time."""

import base64
import contextlib
import hashlib
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from gateway_project.demo.browser import Person
from gateway_project.demo.consent import Allowed, Request, account_of, allow
from gateway_project.demo.facts import Facts
from gateway_project.demo.walk import Step, WalkEnded, expect, positions, received

NAME = "Walk with one URL"
# Of the loopback, where a program listens while its person is in the browser (RFC 8252 section 7.3)
CALLBACK = "http://127.0.0.1:33418/callback"
REVISION = "2025-11-25"
# What the person does not allow at first, so that a call comes to ask for it
LATER = "resume:read"
RESUME = "Six years of Python and Django on PostgreSQL, two of OAuth."
WITHIN_S = 20
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_MCP = {"accept": "application/json, text/event-stream", "mcp-protocol-version": REVISION}


@dataclass
class McpWalk:
    """The walk of a client that registers itself and of the person called `username`; `steps` goes it."""

    facts: Facts
    username: str = "ana"
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=WITHIN_S, trust_env=False), init=False)
    _challenge: dict[str, str] = field(default_factory=dict, init=False)
    _resource: dict[str, Any] = field(default_factory=dict, init=False)
    _server: dict[str, Any] = field(default_factory=dict, init=False)
    _client: dict[str, Any] = field(default_factory=dict, init=False)
    _code: str = field(default="", init=False)
    _verifier: str = field(default="", init=False)
    _tokens: dict[str, Any] = field(default_factory=dict, init=False)
    _pages: dict[str, str] = field(default_factory=dict, init=False)

    def steps(self) -> Iterator[Step]:
        """Every step, as it is done.

        Raises:
            WalkEnded: it could not be done.
        """
        with self._http, contextlib.closing(Person(self.facts["issuer"])) as person:
            try:
                yield self._call_without_token()
                yield self._read_resource_metadata()
                yield self._read_server_metadata()
                yield self._register()
                yield self._authorize(person)
                yield self._exchange()
                yield self._list_tools()
                yield self._call()
                yield self._step_up(person)
                yield self._refresh()
                yield self._disconnect()
            except httpx.HTTPError as fault:
                raise WalkEnded(f"The gateway does not answer: {fault}") from fault

    def _call_without_token(self) -> Step:
        answer = expect(self._post("initialize", _hello()), 401, "a message without a token")
        self._challenge = _parameters(answer)
        return Step(
            "A message before anybody signed in",
            "The person pastes one URL. The client knocks, and the refusal says where to learn the rest.",
            [f"POST {self._url} initialize", f"401 {answer.headers['www-authenticate']}"],
            "Claude reads this on a 401 alone; VS Code takes a 403 for the same question.",
        )

    def _read_resource_metadata(self) -> Step:
        url = self._challenge["resource_metadata"]
        self._resource = expect(self._http.get(url), 200, "the metadata of the resource").json()
        return Step(
            "What is protected, and by whom",
            "The client reads the metadata of the resource (RFC 9728): its exact name, and who gives tokens for it.",
            [f"GET {url}", f"resource {self._resource['resource']}",
             f"authorization server {self._resource['authorization_servers'][0]}"],
            "ChatGPT and VS Code repeat this name letter for letter; Claude wants it to be the URL as it was pasted.",
        )  # fmt: skip

    def _read_server_metadata(self) -> Step:
        url = f"{self._resource['authorization_servers'][0]}/.well-known/oauth-authorization-server"
        self._server = expect(self._http.get(url), 200, "the metadata of the authorization server").json()
        shown = ("authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint")
        if "registration_endpoint" not in self._server:
            raise WalkEnded("Staff switched registration off: clients that come by themselves may not register.")
        return Step(
            "Where to sign in",
            "The client reads the metadata of the authorization server (RFC 8414).",
            [f"GET {url}", *(f"{name} {self._server[name]}" for name in shown)],
            "ChatGPT insists on S256 and looks for iss, Claude for client ID documents and none, Cursor for scopes.",
        )

    def _register(self) -> Step:
        said = {
            "client_name": NAME, "redirect_uris": [CALLBACK], "application_type": "native",
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
        }  # fmt: skip
        url = self._server["registration_endpoint"]
        self._client = expect(self._http.post(url, json=said), 201, "the registration").json()
        return Step(
            "A client nobody here knew before",
            "The client says its name and where it is to be answered (RFC 7591), and gets an id of its own.",
            [f"POST {url} {NAME}", f"201 client_id {self._client['client_id']}"],
            "Cursor and VS Code register like this; ChatGPT and Claude bring the URL of a document about themselves.",
        )

    def _authorize(self, person: Person) -> Step:
        url, allowed = self._ask(person, scope=self._challenge["scope"], unticked={LATER})
        return Step(
            "Authorization and consent",
            "The client opens the browser. The person signs in, unticks what they do not want, and allows.",
            [f"GET {url}", f"{self.username} signs in, unticks {LATER} and allows: {', '.join(allowed.scopes)}",
             f"back to {CALLBACK} with code, state and iss={allowed.issuer}"],
            "ChatGPT and Claude are answered at their own https addresses, Cursor and VS Code on the person's machine.",
        )  # fmt: skip

    def _exchange(self) -> Step:
        self._redeem()
        return Step(
            "The code for tokens",
            "The client shows the secret behind the challenge it sent (PKCE, RFC 7636) and names the resource again.",
            [f"POST {self._server['token_endpoint']} grant_type=authorization_code", received(self._tokens)],
            "ChatGPT signs a private_key_jwt here; Claude, Cursor and VS Code have nothing to keep secret.",
        )

    def _list_tools(self) -> Step:
        hello = self._result("initialize", _hello())
        tools = self._result("tools/list", {})["tools"]
        self._pages = {tool["name"]: tool["_meta"].get("ui", {}).get("resourceUri", "") for tool in tools}
        return Step(
            "Which tools there are",
            "The client agrees on a revision and reads the tools: only those that what was allowed opens.",
            [f"initialize: {hello['serverInfo']['title']}, revision {hello['protocolVersion']}",
             *(f"{tool['name']:<18} {tool['title']}" for tool in tools)],
            f"VS Code speaks {REVISION}, Claude that and two before it; clients of 2026-07-28 leave the greeting out.",
        )  # fmt: skip

    def _call(self) -> Step:
        answer = expect(self._call_tool("searchJobs", {"keywords": "python"}), 200, "the call of a tool")
        found = _result(answer)["structuredContent"]
        return Step(
            "A call",
            "The model decides to search, and reads what comes back.",
            ["tools/call searchJobs {keywords: python}",
             positions(found),
             f"X-Request-Id {answer.headers.get('x-request-id', '')}: this is the call in the audit log",
             *self._read_page("searchJobs")],
            "ChatGPT asks first, unless the tool's hints say that it only reads; Claude cuts what is too long for it.",
        )  # fmt: skip

    def _read_page(self, tool: str) -> list[str]:
        uri = self._pages.get(tool)
        if not uri:
            return []
        contents = self._result("resources/read", {"uri": uri})["contents"][0]
        size = len(contents["text"].encode()) // 1024
        return [f"resources/read {uri}: {contents['mimeType']}, {size} KiB, which the client shows with the result"]

    def _step_up(self, person: Person) -> Step:
        refused = expect(self._call_tool("analyzeResume", {"resume": RESUME}), 403, "a call of what was unticked")
        challenge = _parameters(refused)
        _url, allowed = self._ask(person, scope=challenge["scope"])
        self._redeem()
        fits = _result(self._call_tool("analyzeResume", {"resume": RESUME}))["structuredContent"]["fits"]
        return Step(
            "One permission more",
            "The model wants what was unticked. The client asks for it, the person allows, and it calls again.",
            [f"tools/call analyzeResume: 403 {challenge['error']}, scope {challenge['scope']}",
             f"{self.username} allows: {', '.join(allowed.scopes)}",
             f"tools/call analyzeResume: 200, fits {', '.join(job['title'] for job in fits)}"],
            "ChatGPT finds the same challenge in the result of the call; Claude and VS Code in the header of the 403.",
        )  # fmt: skip

    def _refresh(self) -> Step:
        fields = {"grant_type": "refresh_token", "refresh_token": self._tokens["refresh_token"]}
        self._tokens = expect(self._at_token_endpoint(fields), 200, "the refresh").json()
        expect(self._call_tool("searchJobs", {}), 200, "a call with the new token")
        return Step(
            "An hour later",
            "The access token has expired. The client trades the refresh token for new ones; nobody notices.",
            [f"POST {self._server['token_endpoint']} grant_type=refresh_token", received(self._tokens)],
            "Claude does so five minutes early, the others when the time has come; each gets a new refresh token.",
        )

    def _disconnect(self) -> Step:
        url, token = self._server["revocation_endpoint"], self._tokens["refresh_token"]
        fields = {"token": token, "token_type_hint": "refresh_token", "client_id": self._client["client_id"]}
        expect(self._http.post(url, data=fields), 200, "the revocation")
        refused = expect(self._call_tool("searchJobs", {}), 401, "a call after the revocation")
        forget = {"authorization": f"Bearer {self._client['registration_access_token']}"}
        registration = self._client["registration_client_uri"]
        expect(self._http.delete(registration, headers=forget), 204, "the end of the registration")
        return Step(
            "Disconnected",
            "The person removes the client, or revokes it on Connected Apps: every token of it is worthless at once.",
            [f"POST {url}", f"the next call: {refused.status_code} {_parameters(refused)['error']}",
             f"DELETE {registration}: this client is gone"],
            "Most clients just forget their tokens; cleanup_tokens forgets the clients that nobody uses any more.",
        )  # fmt: skip

    def _ask(self, person: Person, *, scope: str, unticked: Collection[str] = ()) -> tuple[str, Allowed]:
        """Let the person answer a request for `scope`; the answer's code and verifier are kept."""
        self._verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        query = {
            "response_type": "code", "client_id": self._client["client_id"], "redirect_uri": CALLBACK, "scope": scope,
            "state": state, "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256", "resource": self._resource["resource"],
        }  # fmt: skip
        url = f"{self._server['authorization_endpoint']}?{urlencode(query)}"
        account = account_of(self.facts, self.username)
        allowed = allow(person, Request(url, CALLBACK, state), account=account, unticked=unticked)
        if allowed.issuer != self._server["issuer"]:
            raise WalkEnded(f"The answer came from {allowed.issuer} in place of {self._server['issuer']}.")
        self._code = allowed.code
        return url, allowed

    def _redeem(self) -> None:
        fields = {
            "grant_type": "authorization_code", "code": self._code, "redirect_uri": CALLBACK,
            "code_verifier": self._verifier,
        }  # fmt: skip
        self._tokens = expect(self._at_token_endpoint(fields), 200, "the exchange of the code").json()

    def _at_token_endpoint(self, fields: dict[str, str]) -> httpx.Response:
        named = {"client_id": self._client["client_id"], "resource": self._resource["resource"]}
        return self._http.post(self._server["token_endpoint"], data=fields | named)

    @property
    def _url(self) -> str:
        return str(self.facts["mcp_url"])

    def _post(self, method: str, params: dict[str, Any]) -> httpx.Response:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        held = {"authorization": f"Bearer {self._tokens['access_token']}"} if self._tokens else {}
        return self._http.post(self._url, json=message, headers=_MCP | held)

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return _result(expect(self._post(method, params), 200, method))

    def _call_tool(self, name: str, arguments: dict[str, Any]) -> httpx.Response:
        return self._post("tools/call", {"name": name, "arguments": arguments})


def _hello() -> dict[str, Any]:
    return {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": NAME, "version": "1"}}


def _parameters(answer: httpx.Response) -> dict[str, str]:
    """What the challenge of a refusal says (RFC 6750 section 3)."""
    return dict(_ATTRIBUTE.findall(answer.headers.get("www-authenticate", "")))


def _result(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json().get("result", {})
    if not found or found.get("isError"):
        raise WalkEnded(f"A message was answered with an error: {answer.text[:300]}")
    return found
