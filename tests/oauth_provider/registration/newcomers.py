"""What a program does that comes by itself: registers, asks a person, redeems, renews."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.test import Client as Browser

from audit.ledger.models import Event
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from tests.agreed import CHALLENGE, VERIFIER

REDIRECT = "https://app.example/callback"


@dataclass
class Newcomers:
    """`program` has no cookies, `person` is signed in."""

    program: Browser
    person: Browser

    def ask(self, body: object = None, *, token: str = "", **fields: Any) -> Any:
        """POST a registration: `fields`, or `body` as it stands; `token` is an invitation."""
        sent = {"redirect_uris": [REDIRECT], **fields} if body is None else body
        text = sent if isinstance(sent, str | bytes) else json.dumps(sent)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.program.post("/oauth/register", text, content_type="application/json", headers=headers)

    def register(self, **fields: Any) -> dict[str, Any]:
        """The answer to a registration that succeeds."""
        answer = self.ask(**fields)
        assert answer.status_code == 201, answer.content
        made: dict[str, Any] = answer.json()
        return made

    def manage(self, made: dict[str, Any], method: str, *, token: str | None = None, **fields: Any) -> Any:
        """GET, PUT or DELETE what was registered, with its own token or another."""
        bearer = made["registration_access_token"] if token is None else token
        return self.program.generic(
            method,
            f"/oauth/register/{made['client_id']}",
            json.dumps(fields) if fields else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer}"},
        )

    def authorize(self, made: dict[str, Any], **changes: Any) -> Any:
        """The person follows the program's link."""
        asked = {
            "client_id": made["client_id"],
            "redirect_uri": made["redirect_uris"][0],
            "response_type": "code",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return self.person.get("/oauth/authorize?" + urlencode({k: v for k, v in asked.items() if v is not None}))

    def allow(self, made: dict[str, Any], **changes: Any) -> str:
        """The person allows all that is asked; the code."""
        page = self.authorize(made, **changes)
        assert page.status_code == 200, page.content.decode()[-2000:]
        interaction = Interaction.objects.latest("created_at")
        form = {"interaction": interaction.pk, "decision": "allow", "scope": interaction.scopes.split()}
        answer = dict(parse_qsl(urlsplit(self.person.post("/oauth/authorize", form)["Location"]).query))
        return answer["code"]

    def token(self, made: dict[str, Any], **parameters: str) -> Any:
        """POST to the token endpoint as the client was told to."""
        form = {"client_id": made["client_id"], **parameters}
        if "client_secret" in made:
            form["client_secret"] = made["client_secret"]
        return self.post("/oauth/token", **form)

    def post(self, path: str, **form: str) -> Any:
        """POST a form, as a program does."""
        return self.program.post(path, urlencode(form), content_type="application/x-www-form-urlencoded")

    def redeem(self, made: dict[str, Any], code: str, **parameters: str) -> Any:
        """Exchange a code."""
        return self.token(made, grant_type="authorization_code", code=code, code_verifier=VERIFIER, **parameters)


def row_of(made: dict[str, Any]) -> Client:
    """The client as it is stored now."""
    found: Client = Client.objects.get(client_id=made["client_id"])
    return found


def last_refusal() -> Event:
    """The newest refused registration."""
    return Event.objects.filter(kind="oauth:client:refused").latest("pk")
