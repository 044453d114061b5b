"""Who calls the token, revocation and introspection endpoints (RFC 6749 section 2.3).

Exactly one mechanism: HTTP Basic, or `client_id` and `client_secret` in the body, or for public clients
`client_id` alone, or an assertion (`oauth_provider.tokens.client_assertion`). Which of the ways to send a secret is not
pinned: GPT builders switch between the two without notice. A client that has a key has no other proof.
"""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

from oauth_provider.clients.models import Approval, Client
from oauth_provider.clients.secrets import matches
from oauth_provider.written_once import WrittenOnce

MAX_CREDENTIAL = 255
_CLIENTS: WrittenOnce[Client] = WrittenOnce(lambda client_id: Client.objects.filter(client_id=client_id).order_by())


class AuthenticationError(Exception):
    """Root of the refusals below; `reason` is the slug for the ledger.

    AuthenticationError
    ├── AmbiguousAuthenticationError   400 invalid_request
    └── UnknownClientError             401 invalid_client
    """

    reason = "client_authentication"

    def __init__(self, reason: str, client_id: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        # A name the caller claimed: for the ledger only once it is known to exist
        self.client_id = client_id


class AmbiguousAuthenticationError(AuthenticationError):
    """More than one mechanism, or two that contradict each other."""


class UnknownClientError(AuthenticationError):
    """No such client, a wrong secret, a suspended client: one answer for all, so that none can be told apart."""


def uses_basic(authorization: str) -> bool:
    """Whether the Authorization header tries HTTP Basic."""
    return authorization.split(" ", 1)[0].lower() == "basic"


def authenticate_client(*, authorization: str, parameters: Mapping[str, str], proven: Client | None = None) -> Client:
    """Return the client that proved itself.

    Args:
        authorization: the Authorization header, "" when absent.
        parameters: the body's parameters, each once.
        proven: who signed the assertion among them, if there is one.

    Raises:
        AmbiguousAuthenticationError: two mechanisms in one request (RFC 6749 section 2.3).
        UnknownClientError: anything else that is wrong (RFC 6749 section 5.2, invalid_client).
    """
    if proven is not None:
        return proven
    claimed = parameters.get("client_id", "")
    body_secret = parameters.get("client_secret", "")
    if authorization:
        if body_secret:
            raise AmbiguousAuthenticationError("two_authentication_methods")
        return _by_basic(authorization, claimed)
    if not _storable(claimed):
        raise UnknownClientError("unknown_client")
    client = find_client(claimed)
    if body_secret:
        return _proved(client, body_secret)
    if client is None or client.is_confidential:
        missing = "assertion_required" if client and client.token_endpoint_auth_method else "missing_secret"
        raise UnknownClientError(missing if client else "unknown_client", claimed if client else "")
    return usable(client)


def _by_basic(authorization: str, claimed: str) -> Client:
    client_id, secret = _decode_basic(authorization)
    # RFC 6749 encodes both halves before Basic; many clients do not. The secret's alphabet makes both readings equal.
    readings = [(unquote_plus(client_id), unquote_plus(secret)), (client_id, secret)]
    for name, password in readings:
        client = find_client(name) if _storable(name) else None
        if client is None:
            continue
        if claimed and claimed != client.client_id:
            raise AmbiguousAuthenticationError("two_client_ids", client.client_id)
        return _proved(client, password)
    return _proved(None, secret)


def _decode_basic(authorization: str) -> tuple[str, str]:
    scheme, _space, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 4 * MAX_CREDENTIAL:
        raise UnknownClientError("unsupported_scheme")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise UnknownClientError("malformed_basic") from error
    client_id, colon, secret = decoded.partition(":")
    if not colon:
        raise UnknownClientError("malformed_basic")
    return client_id, secret


def _proved(client: Client | None, secret: str) -> Client:
    if client is not None and client.token_endpoint_auth_method:
        raise UnknownClientError("assertion_required", client.client_id)
    if not matches(client=client, secret=secret):
        raise UnknownClientError("wrong_secret" if client else "unknown_client", client.client_id if client else "")
    return usable(client)


def usable(client: Client | None) -> Client:
    """The client, unless nobody of that name may be let in now.

    Raises:
        UnknownClientError: it is unknown, suspended or not approved.
    """
    if client is None:
        raise UnknownClientError("unknown_client")
    if client.is_suspended:
        raise UnknownClientError("suspended_client", client.client_id)
    if client.approval != Approval.APPROVED:
        raise UnknownClientError("client_not_approved", client.client_id)
    return client


def _storable(client_id: str) -> bool:
    # PostgreSQL cannot hold NUL, and no stored id is longer
    return bool(client_id) and len(client_id) <= MAX_CREDENTIAL and "\x00" not in client_id


def find_client(client_id: str) -> Client | None:
    """The client of that id."""
    return _CLIENTS.first(client_id)
