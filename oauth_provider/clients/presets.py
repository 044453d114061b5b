"""What each kind of client needs: the values of a new one, so that staff need not know OAuth."""

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oauth_provider.clients.models import Client, Preset

GPT_HOSTS = ("https://chat.openai.com", "https://chatgpt.com")
# From the GPT's own id ("g-…"), its editor's or public URL, or a callback pasted from the editor
_GPT_ID = re.compile(r"(?:^|/)(g-[A-Za-z0-9]+)(?:[-/?#]|$)")
_CALLBACK_ID = re.compile(r"^https://(?:chat\.openai\.com|chatgpt\.com)/aip/(g-[A-Za-z0-9_-]+)/oauth/callback$")
_BARE_ID = re.compile(r"^g-[A-Za-z0-9_-]{1,80}$")


@dataclass(frozen=True, slots=True)
class PresetValues:
    """`redirect_uris` empty: staff must supply them, now or (for a GPT) when its editor shows the callback."""

    words: Promise | str
    client_type: str
    grant_type: str
    redirect_uris: tuple[str, ...] = ()
    allow_json: bool = False


PRESETS: dict[str, PresetValues] = {
    Preset.GPT: PresetValues(
        _("A custom GPT that calls your API through an Action. It gets a client id and a secret."),
        Client.CLIENT_CONFIDENTIAL,
        Client.GRANT_AUTHORIZATION_CODE,
        allow_json=True,
    ),
    Preset.CHATGPT: PresetValues(
        _("An app or connector in ChatGPT that speaks MCP. No secret."),
        Client.CLIENT_PUBLIC,
        Client.GRANT_AUTHORIZATION_CODE,
        ("https://chatgpt.com/connector_platform_oauth_redirect",),
    ),
    Preset.CLAUDE: PresetValues(
        _("Claude on the web, the desktop and the phone. No secret."),
        Client.CLIENT_PUBLIC,
        Client.GRANT_AUTHORIZATION_CODE,
        ("https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"),
    ),
    Preset.CLAUDE_CODE: PresetValues(
        _("Claude Code in a terminal. No secret."),
        Client.CLIENT_PUBLIC,
        Client.GRANT_AUTHORIZATION_CODE,
        ("http://localhost/callback", "http://127.0.0.1/callback"),
    ),
    Preset.CURSOR: PresetValues(
        _("The Cursor editor. No secret."),
        Client.CLIENT_PUBLIC,
        Client.GRANT_AUTHORIZATION_CODE,
        (
            # A loopback address without a port stands for every port (RFC 8252 section 7.3)
            "http://localhost/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ),
    ),
    Preset.VSCODE: PresetValues(
        _("Visual Studio Code. No secret."),
        Client.CLIENT_PUBLIC,
        Client.GRANT_AUTHORIZATION_CODE,
        ("http://127.0.0.1/", "https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"),
    ),
    Preset.SERVICE: PresetValues(
        _("A program of your own that acts for itself, without a person. It gets a client id and a secret."),
        Client.CLIENT_CONFIDENTIAL,
        Client.GRANT_CLIENT_CREDENTIALS,
    ),
    Preset.OTHER: PresetValues(
        _("Anything else with a web server that can keep a secret. You supply its redirect addresses."),
        Client.CLIENT_CONFIDENTIAL,
        Client.GRANT_AUTHORIZATION_CODE,
    ),
}


def gpt_callbacks(pasted: str) -> tuple[str, ...]:
    """Both callbacks of a GPT, from its id, its URL or one callback; empty when nothing was pasted.

    ChatGPT has used either host, sometimes within one GPT's life.

    Raises:
        ValueError: no GPT id can be read from it.
    """
    text = pasted.strip()
    if not text:
        return ()
    found = _CALLBACK_ID.match(text)
    if found is None and _BARE_ID.match(text):
        return _callbacks(text)
    found = found or _GPT_ID.search(text)
    if found is None:
        raise ValueError("no GPT id")
    return _callbacks(found.group(1))


def _callbacks(gpt_id: str) -> tuple[str, ...]:
    return tuple(f"{host}/aip/{gpt_id}/oauth/callback" for host in GPT_HOSTS)
