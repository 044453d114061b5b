"""What a client asks to be (RFC 7591 section 2), reduced to what it can be here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from oauth_provider.registration.errors import InvalidMetadataError
from oauth_provider.registration.keys import NO_KEYS, PublicKeys, read_keys
from oauth_provider.registration.names import safe_name
from oauth_provider.registration.redirects import usable_redirect_uris

GRANT_TYPES = ("authorization_code", "refresh_token")
RESPONSE_TYPES = ("code",)
PUBLIC_METHOD = "none"
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
KEY_METHOD = "private_key_jwt"
METHODS = (PUBLIC_METHOD, *SECRET_METHODS, KEY_METHOD)
APPLICATION_TYPES = ("native", "web")
LINKS = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
MAX_LINK = 2000
MAX_TEXT = 100
MAX_ENTRIES = 50
MAX_SCOPE = 4000


@dataclass(frozen=True, slots=True)
class Metadata:
    """`scopes` are those asked for, whether they exist or not; an absent text is "".

    `links` holds the https addresses among client_uri, logo_uri, policy_uri and tos_uri. Nothing is fetched from them.
    """

    name: str
    redirect_uris: tuple[str, ...]
    auth_method: str
    scopes: tuple[str, ...]
    links: Mapping[str, str]
    keys: PublicKeys = NO_KEYS
    application_type: str = ""
    software_id: str = ""
    software_version: str = ""

    @property
    def is_public(self) -> bool:
        """It proves itself in no way (RFC 6749 section 2.1)."""
        return self.auth_method == PUBLIC_METHOD

    @property
    def keeps_secret(self) -> bool:
        """It is given a secret."""
        return self.auth_method in SECRET_METHODS


def negotiate(fields: Mapping[str, Any]) -> Metadata:
    """Keep of a registration what this server supports; fields it does not know are ignored (RFC 7591 section 2).

    Raises:
        RegistrationError: a field of the wrong type, or one of which nothing is left.
    """
    _check_grant_types(fields)
    _check_response_types(fields)
    method = auth_method(fields)
    return Metadata(
        name=safe_name(fields.get("client_name", "")),
        redirect_uris=usable_redirect_uris(fields.get("redirect_uris"), public=method == PUBLIC_METHOD),
        auth_method=method,
        scopes=_scopes(fields),
        links={name: link for name in LINKS if (link := _link(fields, name))},
        keys=read_keys(fields) if method == KEY_METHOD else NO_KEYS,
        application_type=_application_type(fields),
        software_id=_text(fields, "software_id"),
        software_version=_text(fields, "software_version"),
    )


def auth_method(fields: Mapping[str, Any]) -> str:
    """How it proves itself at the token endpoint: what it prefers, else the first of its list that is known here.

    A client that names nothing we know keeps a secret, the default of RFC 7591; unless it returns to a scheme of its
    own, as only programs on a person's device do (RFC 8252 section 8.5).

    Raises:
        InvalidMetadataError: not a text, or the list is none.
    """
    preferred = _text(fields, "token_endpoint_auth_method")
    offered = _texts(fields, "token_endpoint_auth_methods_supported")
    for method in (preferred, *offered):
        if method in METHODS:
            return method
    uris = fields.get("redirect_uris")
    schemes = {str(uri).partition(":")[0].lower() for uri in uris} if isinstance(uris, list) else set()
    return PUBLIC_METHOD if not preferred and schemes - {"http", "https"} else SECRET_METHODS[0]


def _check_grant_types(fields: Mapping[str, Any]) -> None:
    asked = _texts(fields, "grant_types")
    if asked and "authorization_code" not in asked:
        raise InvalidMetadataError(
            "unsupported_grant_types",
            "grant_types must contain authorization_code: a client that registers itself acts for people.",
        )


def _check_response_types(fields: Mapping[str, Any]) -> None:
    asked = _texts(fields, "response_types")
    if asked and "code" not in asked:
        raise InvalidMetadataError(
            "unsupported_response_types", "response_types must contain code: no other one is supported."
        )


def _scopes(fields: Mapping[str, Any]) -> tuple[str, ...]:
    asked = fields.get("scope", "")
    if not isinstance(asked, str):
        raise InvalidMetadataError("wrong_type", "scope must be a text: names separated by spaces.")
    if len(asked) > MAX_SCOPE or not asked.isascii() or not asked.replace(" ", "").isprintable():
        raise InvalidMetadataError("malformed_scope", f"scope must be ASCII of at most {MAX_SCOPE} characters.")
    return tuple(dict.fromkeys(asked.split()))


def _application_type(fields: Mapping[str, Any]) -> str:
    found = _text(fields, "application_type")
    if found and found not in APPLICATION_TYPES:
        raise InvalidMetadataError("unknown_application_type", "application_type must be native or web.")
    return found


def _link(fields: Mapping[str, Any], name: str) -> str:
    text = _text(fields, name, longest=MAX_LINK)
    if not text:
        return ""
    if not _is_address(text):
        raise InvalidMetadataError("malformed_link", f"{name} must be a complete https address.")
    # Plain http is what programs under development send: no reason to refuse, nothing to keep
    return text if text.lower().startswith("https:") else ""


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    unusual = not text.isascii() or any(character in text for character in ' <>"\\')
    return parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc and not unusual


def _text(fields: Mapping[str, Any], name: str, *, longest: int = MAX_TEXT) -> str:
    found = fields.get(name, "")
    if not isinstance(found, str):
        raise InvalidMetadataError("wrong_type", f"{name} must be a text.")
    if len(found) > longest or not found.isprintable():
        raise InvalidMetadataError("malformed_text", f"{name} must be at most {longest} printable characters.")
    return found


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = fields.get(name, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise InvalidMetadataError("wrong_type", f"{name} must be a list of texts.")
    if len(found) > MAX_ENTRIES:
        raise InvalidMetadataError("too_many_entries", f"{name} has more than {MAX_ENTRIES} entries.")
    return tuple(found)
