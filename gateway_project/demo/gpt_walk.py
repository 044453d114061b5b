"""What a custom GPT does, from the document its builder pastes to the day it is disconnected, one step at a time."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from gateway_project.demo.browser import Person
from gateway_project.demo.consent import Request, account_of, allow
from gateway_project.demo.facts import Facts
from gateway_project.demo.walk import Step, WalkEnded, expect, positions, received

CALLBACK_HOST = "chatgpt.com"
WITHIN_S = 20


@dataclass
class GptWalk:
    """The walk of the demo's GPT and of the person called `username`; `steps` goes it."""

    facts: Facts
    username: str = "ana"
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=WITHIN_S, trust_env=False), init=False)
    _document: dict[str, Any] = field(default_factory=dict, init=False)
    _tokens: dict[str, Any] = field(default_factory=dict, init=False)
    _code: str = field(default="", init=False)

    @property
    def _gpt(self) -> dict[str, Any]:
        gpt: dict[str, Any] = self.facts["clients"]["gpt"]
        return gpt

    @property
    def _callback(self) -> str:
        return next(str(uri) for uri in self._gpt["redirect_uris"] if urlsplit(uri).hostname == CALLBACK_HOST)

    @property
    def _flow(self) -> dict[str, Any]:
        flow: dict[str, Any] = self._document["components"]["securitySchemes"]["oauth"]["flows"]["authorizationCode"]
        return flow

    def steps(self) -> Iterator[Step]:
        """Every step, as it is done.

        Raises:
            WalkEnded: it could not be done.
        """
        try:
            yield self._read_document()
            yield self._call_without_token()
            yield self._authorize()
            yield self._exchange()
            yield self._call()
            yield self._refresh()
            yield self._revoke()
        except httpx.HTTPError as fault:
            raise WalkEnded(f"The gateway does not answer: {fault}") from fault
        finally:
            self._http.close()

    def _read_document(self) -> Step:
        prefix = self.facts["backends"]["careers"]["prefix"]
        url = f"{self.facts['issuer']}{prefix}/openapi.json?{urlencode({'client_id': self._gpt['client_id']})}"
        self._document = expect(self._http.get(url), 200, "the OpenAPI document").json()
        operations = [
            f"{method.upper():<5} {path:<20} {operation['operationId']}"
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
        ]
        return Step(
            "The OpenAPI document",
            "The builder of the GPT gives this address to Import from URL; each operation becomes an action.",
            [f"GET {url}", *operations],
        )

    def _call_without_token(self) -> Step:
        url = self._search_url()
        answer = expect(self._http.get(url), 401, "a call without a token")
        return Step(
            "A call before anybody signed in",
            "ChatGPT has no token yet. It shows the person a button: Sign in with Career Copilot.",
            [f"GET {url}", f"401 {answer.headers.get('www-authenticate', '')}"],
        )

    def _authorize(self) -> Step:
        state = secrets.token_urlsafe(16)
        query = {
            "response_type": "code", "client_id": self._gpt["client_id"], "redirect_uri": self._callback,
            "scope": " ".join(self._gpt["scopes"]), "state": state,
        }  # fmt: skip
        url = f"{self._flow['authorizationUrl']}?{urlencode(query)}"
        with contextlib.closing(Person(self.facts["issuer"])) as person:
            account = account_of(self.facts, self.username)
            allowed = allow(person, Request(url, self._callback, state), account=account)
        self._code = allowed.code
        return Step(
            "Authorization and consent",
            "ChatGPT opens this address in a new tab. The person signs in, unticks what they do not want, and allows.",
            [
                f"GET {url}",
                f"{self.username} signs in and allows: {', '.join(allowed.scopes)}",
                f"back to {self._callback} with code, state and iss={allowed.issuer}",
            ],
        )

    def _exchange(self) -> Step:
        fields = {"grant_type": "authorization_code", "code": self._code, "redirect_uri": self._callback}
        self._tokens = expect(self._at_token_url(fields), 200, "the exchange of the code").json()
        return Step(
            "The code for tokens",
            "ChatGPT's servers, not the browser, trade the code and their secret for tokens.",
            [f"POST {self._flow['tokenUrl']} grant_type=authorization_code", received(self._tokens)],
        )

    def _call(self) -> Step:
        url = self._search_url()
        answer = expect(self._http.get(url, headers=self._bearer), 200, "a call with the token")
        found = answer.json()
        return Step(
            "A call",
            "The model decides to search; ChatGPT sends the token with the call and reads the answer to the model.",
            [
                f"GET {url}",
                positions(found),
                f"X-Request-Id {answer.headers.get('x-request-id', '')}: this is the call in the audit log",
            ],
        )

    def _refresh(self) -> Step:
        fields = {"grant_type": "refresh_token", "refresh_token": self._tokens["refresh_token"]}
        self._tokens = expect(self._at_token_url(fields), 200, "the refresh").json()
        expect(self._http.get(self._search_url(), headers=self._bearer), 200, "a call with the new token")
        return Step(
            "An hour later",
            "The access token has expired. ChatGPT trades the refresh token for new ones; nobody notices.",
            [f"POST {self._flow['tokenUrl']} grant_type=refresh_token", received(self._tokens)],
        )

    def _revoke(self) -> Step:
        url = self._flow["tokenUrl"].removesuffix("token") + "revoke"
        fields = {"token": self._tokens["refresh_token"], "token_type_hint": "refresh_token"}
        expect(self._http.post(url, data=fields | self._secret), 200, "the revocation")
        refused = expect(self._http.get(self._search_url(), headers=self._bearer), 401, "a call after the revocation")
        return Step(
            "Disconnected",
            "The person signs out of the GPT, or revokes it on Connected Apps: every token of it is worthless at once.",
            [f"POST {url}", f"the next call: {refused.status_code} {refused.json()['error']}"],
        )

    def _search_url(self) -> str:
        path = next(
            path
            for path, item in self._document["paths"].items()
            if item.get("get", {}).get("operationId") == "searchJobs"
        )
        return f"{self._document['servers'][0]['url']}{path}?{urlencode({'keywords': 'python'})}"

    def _at_token_url(self, fields: dict[str, str]) -> httpx.Response:
        return self._http.post(self._flow["tokenUrl"], data=fields | self._secret)

    @property
    def _secret(self) -> dict[str, str]:
        return {"client_id": self._gpt["client_id"], "client_secret": self._gpt["client_secret"]}

    @property
    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._tokens['access_token']}"}
