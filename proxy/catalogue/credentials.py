"""The gateway's own credential at a backend: its types, what may be one, how it is kept, and where it may go."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from oauth_provider.keys.encryption import Undecipherable, decrypt, encrypt
from proxy.catalogue.addresses import BadUpstreamUrl, parse_upstream_url
from proxy.catalogue.header_names import HEADER_NAME, UNNAMEABLE
from proxy.catalogue.parameters import PARAMETER_NAME

MAX_NAME: Final = 60
MAX_SECRET: Final = 4096
MAX_TEXT: Final = 500
CLIENT_SECRET_BASIC: Final = "client_secret_basic"  # noqa: S105 - a method of RFC 7591 section 2
CLIENT_SECRET_POST: Final = "client_secret_post"  # noqa: S105 - another one
# RFC 6749 section 3.3, and its appendix A for what an id or a secret is made of
_SCOPE = re.compile(r"\A[!#-\[\]-~]+(?: [!#-\[\]-~]+)*\Z")
_Words = str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderCredential:
    """A header of any name."""

    type: ClassVar[str] = "header"
    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCredential:
    """A parameter of the query; a client's own of that name never reaches the backend."""

    type: ClassVar[str] = "query"
    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicCredential:
    """Authorization: Basic (RFC 7617), in UTF-8."""

    type: ClassVar[str] = "basic"
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerCredential:
    """Authorization: Bearer (RFC 6750 section 2.1) with a token that stays the same."""

    type: ClassVar[str] = "bearer"
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A token that the gateway fetches for itself (RFC 6749 section 4.4).

    `audience` and `resource` (RFC 8707) are sent when they are given; `allow_private` is for the token endpoint alone.
    """

    type: ClassVar[str] = "client_credentials"
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""
    resource: str = ""
    token_endpoint_auth_method: str = CLIENT_SECRET_BASIC
    allow_private: bool = False


Credential = HeaderCredential | QueryCredential | BasicCredential | BearerCredential | ClientCredentials
KINDS: Final[Mapping[str, type[Credential]]] = {
    each.type: each
    for each in (HeaderCredential, QueryCredential, BasicCredential, BearerCredential, ClientCredentials)
}


class NoCredential:
    """In place of one: whatever there was is taken away."""


NO_CREDENTIAL: Final = NoCredential()


def make(kind: str, given: Mapping[str, Any]) -> Credential:
    """The credential of type `kind` made of `given`, a name and a value for each of its fields.

    Raises:
        ValidationError: by field, when one is missing, one too many, or cannot be sent; of `type` for another kind.
    """
    made = KINDS.get(kind)
    if made is None:
        raise ValidationError({"type": _("One of %(names)s.") % {"names": ", ".join(KINDS)}})
    known = {each.name: each for each in fields(made)}
    needed = {name for name, each in known.items() if each.default is MISSING}
    faults = {name: _("Needed for this type.") for name in needed if given.get(name) in ("", None)}
    faults |= {name: _("Not for this type.") for name in given.keys() - known.keys()}
    faults |= {
        name: words
        for name, value in given.items()
        if name not in faults and value != "" and (words := _CHECKS[made, name](value))
    }
    if made is ClientCredentials and "token_url" not in faults and not given.get("allow_private"):
        faults |= {} if given["token_url"].startswith("https://") else {"token_url": _("Use https.")}
    if faults:
        raise ValidationError({name: [words] for name, words in faults.items()})
    return made(**given)


def seal(credential: Credential | NoCredential) -> str:
    """As it is stored: encrypted, "" for none."""
    if isinstance(credential, NoCredential):
        return ""
    return encrypt(json.dumps({"type": credential.type, **asdict(credential)}).encode())


def opened(sealed: str) -> Credential | None:
    """What `seal` made of it, None for none.

    Raises:
        Undecipherable: no listed key opens it, or it is not a credential.
    """
    if not sealed:
        return None
    try:
        values = json.loads(decrypt(sealed))
        return KINDS[values.pop("type")](**values)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Undecipherable from fault


def header_of(credential: Credential | None) -> tuple[str, str] | None:
    """The header that carries it, the same with every call; None when it travels otherwise."""
    match credential:
        case HeaderCredential(name=name, value=value):
            return (name, value)
        case BearerCredential(token=token):
            return ("Authorization", f"Bearer {token}")
        case BasicCredential(username=username, password=password):
            return ("Authorization", f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}")
    return None


def header_name_of(credential: Credential | None) -> str:
    """The name of the header that is the gateway's alone because of it, "" when there is none."""
    header = header_of(credential)
    return header[0] if header else "Authorization" if isinstance(credential, ClientCredentials) else ""


def check_destination(*, sealed: str, before: str, now: str) -> None:
    """Never show one backend's credential to another: `sealed` was given for the upstream URL `before`.

    Raises:
        ValidationError: `now` leads to another host.
    """
    if sealed and urlsplit(before)[:2] != urlsplit(now)[:2]:
        raise ValidationError(
            {"credential": _("The upstream URL leads to another host: type the credential for it, or remove it.")}
        )


def _text(longest: int, *, ascii_only: bool = True) -> Callable[[object], _Words]:
    def check(value: object) -> _Words:
        if not isinstance(value, str) or len(value) > longest:
            return _("A text of at most %(longest)s characters.") % {"longest": longest}
        if ascii_only and not (value.isascii() and value.isprintable()):
            return _("Use printable ASCII characters only.")
        return None if value.isprintable() else _("Use printable characters only.")

    return check


def _header_name(value: object) -> _Words:
    if isinstance(value, str) and value.lower() == "authorization":
        return _("Use the type bearer for this header.")
    fits = isinstance(value, str) and len(value) <= MAX_NAME and HEADER_NAME.match(value)
    return None if fits and str(value).lower() not in UNNAMEABLE else _("This header cannot carry a credential.")


def _parameter_name(value: object) -> _Words:
    fits = isinstance(value, str) and len(value) <= MAX_NAME and PARAMETER_NAME.match(value)
    return None if fits else _("A name made of letters, digits and . _ ~ -.")


def _username(value: object) -> _Words:
    if isinstance(value, str) and ":" in value:
        return _("A user name of Basic cannot have a colon (RFC 7617).")
    return _text(MAX_TEXT, ascii_only=False)(value)


def _token_url(value: object) -> _Words:
    if words := _text(MAX_TEXT)(value):
        return words
    try:
        parse_upstream_url(str(value), own_origin=settings.PUBLIC_BASE_URL)
    except BadUpstreamUrl as fault:
        return _(str(fault))
    return None


def _scope(value: object) -> _Words:
    fits = isinstance(value, str) and len(value) <= MAX_TEXT and _SCOPE.match(value)
    return None if fits else _("Names of scopes separated by one blank.")


def _resource(value: object) -> _Words:
    if words := _text(MAX_TEXT)(value):
        return words
    is_absolute = ":" in str(value).partition("/")[0] and "#" not in str(value)
    return None if is_absolute else _("An absolute URI without a fragment (RFC 8707).")


def _auth_method(value: object) -> _Words:
    fits = value in (CLIENT_SECRET_BASIC, CLIENT_SECRET_POST)
    return None if fits else f"{CLIENT_SECRET_BASIC} / {CLIENT_SECRET_POST}"


def _flag(value: object) -> _Words:
    return None if isinstance(value, bool) else _("True or false.")


_CHECKS: Final[Mapping[tuple[type[Credential], str], Callable[[object], _Words]]] = {
    (HeaderCredential, "name"): _header_name,
    (HeaderCredential, "value"): _text(MAX_SECRET),
    (QueryCredential, "name"): _parameter_name,
    (QueryCredential, "value"): _text(MAX_SECRET, ascii_only=False),
    (BasicCredential, "username"): _username,
    (BasicCredential, "password"): _text(MAX_SECRET, ascii_only=False),
    (BearerCredential, "token"): _text(MAX_SECRET),
    (ClientCredentials, "token_url"): _token_url,
    (ClientCredentials, "client_id"): _text(MAX_TEXT),
    (ClientCredentials, "client_secret"): _text(MAX_SECRET),
    (ClientCredentials, "scope"): _scope,
    (ClientCredentials, "audience"): _text(MAX_TEXT),
    (ClientCredentials, "resource"): _resource,
    (ClientCredentials, "token_endpoint_auth_method"): _auth_method,
    (ClientCredentials, "allow_private"): _flag,
}
