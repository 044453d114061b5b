"""The documents of the clients people really use, frozen: each arrives, gets tokens, refreshes twice at once, calls."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from oauth_provider.clients.models import Trust
from oauth_provider.registration.documents.pinned import pinned_copy
from oauth_provider.tokens.verify import verify_access_token
from tests.assertions import Signer
from tests.oauth_provider.registration.documents.world import DocumentWorld, client_of, stored


@dataclass(frozen=True)
class Known:
    """A client as it comes: the address of its document, and the redirect it really uses."""

    url: str
    redirect_uri: str
    trust: Trust = Trust.CLAIMED

    @property
    def document(self) -> dict[str, Any]:
        """Its document, as it was published."""
        found = pinned_copy(self.url)
        assert found is not None
        content: dict[str, Any] = json.loads(found.content)
        return content


KNOWN = {
    "ChatGPT": Known(
        "https://chatgpt.com/oauth/client.json",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        Trust.PROVEN,
    ),
    "Codex": Known("https://chatgpt.com/oauth/codex/client.json", "http://127.0.0.1:41999/callback"),
    "Claude": Known("https://claude.ai/oauth/mcp-oauth-client-metadata", "https://claude.ai/api/mcp/auth_callback"),
    "Claude Code": Known("https://claude.ai/oauth/claude-code-client-metadata", "http://localhost:55564/callback"),
    "VS Code": Known("https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:33418/"),
    "VS Code, another port": Known("https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:52121/"),
    "VS Code on the web": Known("https://vscode.dev/oauth/client-metadata.json", "https://vscode.dev/redirect"),
    "goose": Known("https://goose-docs.ai/oauth/client-metadata.json", "http://127.0.0.1:40123/oauth_callback"),
}
SIGNER = Signer(client_id="https://chatgpt.com/oauth/client.json", algorithm="RS256", kid="chatgpt-1")


def serve(world: DocumentWorld, known: Known) -> None:
    """Its host, with the keys where it has some."""
    keys, content = json.dumps(SIGNER.key_set).encode(), json.dumps(known.document).encode()

    def answer(visit: Any) -> None:
        visit.answer(keys if visit.path.endswith("jwks.json") else content)

    world.internet.host(known.url.split("/")[2], answer)


def proofs(known: Known) -> list[dict[str, str]]:
    """What it proves itself with, a new one each time."""
    return [SIGNER.proof() if known.trust == Trust.PROVEN else {} for _time in range(3)]


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN.keys())
def test_g10_to_g12_a_known_client_comes_all_the_way(world: DocumentWorld, known: Known) -> None:
    serve(world, known)
    first, second, third = proofs(known)
    page = world.ask(known.url, redirect_uri=known.redirect_uri).content.decode()
    assert f"<bdi>{known.url.split('/')[2]}</bdi>" in page
    code = world.code(known.url, redirect_uri=known.redirect_uri)
    tokens = world.redeem(code, known.url, redirect_uri=known.redirect_uri, **first).json()
    assert (tokens["token_type"].lower(), tokens["scope"]) == ("bearer", "tool:read")
    refreshed = [
        world.token(
            grant_type="refresh_token",
            client_id=known.url,
            refresh_token=tokens["refresh_token"],
            resource=world.resource.identifier,
            **proof,
        )
        for proof in (second, third)
    ]
    assert [answer.status_code for answer in refreshed] == [200, 200], "two processes of one client refresh at once"
    assert refreshed[0].json()["access_token"] == refreshed[1].json()["access_token"]
    verified = verify_access_token(refreshed[0].json()["access_token"])
    assert verified.client_id == known.url
    client = client_of(known.url)
    assert (client.trust, client.client_type, stored(known.url).source) == (known.trust, "public", "fetched")
    assert not stored(known.url).differs_from_pinned


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN.keys())
def test_without_the_internet_it_comes_by_the_copy_that_came_with_the_server(
    world: DocumentWorld, known: Known
) -> None:
    code = world.code(known.url, redirect_uri=known.redirect_uri)
    answer = world.redeem(code, known.url, redirect_uri=known.redirect_uri)
    assert answer.status_code == 200, "ChatGPT's document allows it to come without a key as well"


def test_g10_chatgpt_with_a_wrong_key_or_a_secret_is_refused(world: DocumentWorld) -> None:
    known = KNOWN["ChatGPT"]
    serve(world, known)
    code = world.code(known.url, redirect_uri=known.redirect_uri)
    thief = Signer(client_id=known.url, algorithm="RS256", kid="chatgpt-1", holder="thief")
    for proof in (thief.proof(), {"client_secret": "x"}):
        answer = world.redeem(code, known.url, redirect_uri=known.redirect_uri, **proof)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert world.redeem(code, known.url, redirect_uri=known.redirect_uri, **SIGNER.proof()).status_code == 200


def test_what_was_bought_with_a_key_is_refreshed_with_it_only(world: DocumentWorld) -> None:
    known = KNOWN["ChatGPT"]
    serve(world, known)
    code = world.code(known.url, redirect_uri=known.redirect_uri)
    bought = world.redeem(code, known.url, redirect_uri=known.redirect_uri, **SIGNER.proof()).json()
    asked = {"grant_type": "refresh_token", "client_id": known.url, "refresh_token": bought["refresh_token"]}
    refused = world.token(**asked)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert world.token(**asked, **SIGNER.proof()).status_code == 200


@pytest.mark.parametrize(
    ("known", "redirect_uri"),
    [
        ("Claude Code", "http://localhost:55564/other"),
        ("Claude Code", "http://localhost.evil.example:55564/callback"),
        ("Claude Code", "http://[::1]:55564/callback"),
        ("Codex", "https://127.0.0.1/callback"),
        ("Claude", "https://claude.ai:444/api/mcp/auth_callback"),
        ("VS Code", "http://127.0.0.1:33418"),
    ],
)
def test_a_redirect_that_is_almost_right_is_refused(world: DocumentWorld, known: str, redirect_uri: str) -> None:
    serve(world, KNOWN[known])
    answer = world.ask(KNOWN[known].url, redirect_uri=redirect_uri)
    assert (answer.status_code, "Location" in answer) == (400, False)
