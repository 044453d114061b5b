"""Everything a person must copy from here to the other side, in one place."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from oauth_provider.clients.models import Client, Preset
from oauth_provider.endpoints import oauth_root

# Where APIs are whose operations an OpenAPI document describes
API_PREFIX = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Line:
    """One value to copy: what the other side calls it, the value, and a word on where it goes."""

    label: str
    value: str
    hint: str = ""
    secret: bool = False


def setup_sheet(client: Client, *, secret: str) -> list[Line]:
    """The sheet for `client`; `secret` is "" when it is not shown: a public client, or a page opened again."""
    lines = _server(client)
    lines.append(Line(_("Client ID"), client.client_id))
    if secret:
        lines.append(Line(_("Client Secret"), secret, _("Shown this once. Copy it now."), secret=True))
    # The same as in the document that a GPT's editor imports
    root = oauth_root(client.default_resource if client.preset == Preset.GPT else "")
    if client.preset == Preset.SERVICE:
        lines.append(Line(_("Token URL"), f"{root}/token", _("Send grant_type=client_credentials.")))
    else:
        lines += [Line(_("Authorization URL"), f"{root}/authorize"), Line(_("Token URL"), f"{root}/token")]
    lines += _signing(client)
    lines.append(Line(_("Scope"), client.allowed_scopes, _("Separated by spaces, as they stand here.")))
    if client.preset == Preset.GPT:
        lines.append(Line(_("Token Exchange Method"), _("Default (POST request)")))
        lines += _schema(client)
    return lines


def _server(client: Client) -> list[Line]:
    """What the programs that speak MCP ask for first."""
    if client.preset in {Preset.GPT, Preset.SERVICE, Preset.OTHER}:
        return []
    return [
        Line(_("Server URL"), f"{settings.PUBLIC_BASE_URL}/mcp", _("MCP over Streamable HTTP, sign-in with OAuth."))
    ]


def _schema(client: Client) -> list[Line]:
    if not client.default_resource.startswith(API_PREFIX):
        return []
    query = urlencode({"client_id": client.client_id})
    url = f"{settings.PUBLIC_BASE_URL}{client.default_resource}/openapi.json?{query}"
    return [Line(_("Schema"), url, _("Import from URL: what the GPT may call, with these permissions."))]


def _signing(client: Client) -> list[Line]:
    if not client.token_endpoint_auth_method:
        return []
    return [
        Line(_("Client authentication"), client.token_endpoint_auth_method, _("Algorithm ES256 or RS256.")),
        Line(_("Audience of its assertions"), settings.PUBLIC_BASE_URL, _("Each good for at most 10 minutes, once.")),
        Line(_("Its public keys"), client.jwks_uri or client.jwks),
    ]


def steps(client: Client) -> list[str]:
    """What to do with the sheet, in order."""
    if client.preset == Preset.GPT:
        return [
            _(
                "In ChatGPT open your GPT, choose Edit, then Configure, then Actions, "
                "then the gear beside Authentication."
            ),
            _("Choose OAuth and paste each value of this page into the field of the same name."),
            _("Under Schema choose Import from URL and paste the address of this page: the GPT then knows its calls."),
            _("Save. The editor then shows a Callback URL under the Action: copy it."),
            _(
                "Come back here, open the client and paste that URL into “Callback of the GPT”. "
                "Until then it cannot sign anyone in."
            ),
        ]
    if client.preset == Preset.SERVICE:
        return [
            _(
                "Give these values to the program that will call. It asks the token URL for a token "
                "and sends it with each call."
            )
        ]
    return [
        _("Open the connections or tools settings of the application and add this server."),
        _("Where it asks for a client id, paste the one above; leave the secret empty if none is shown."),
    ]


def awaits_callback(client: Client) -> bool:
    """A GPT whose editor has not told its callback yet; it cannot sign anyone in."""
    return client.preset == Preset.GPT and not client.redirect_uris.split()
