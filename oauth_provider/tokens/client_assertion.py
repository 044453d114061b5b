"""`private_key_jwt`: a client signs that it is itself, with a key only it has (RFC 7523 sections 2.2 and 3).

Called before the transaction of the endpoint: its keys may have to be fetched, and an assertion is used up even when
the request that it came with is refused.
"""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from oauth_provider.clients.models import Client
from oauth_provider.outbound.jwks import KeysUnavailableError, keys_at
from oauth_provider.outbound.keys import public_keys
from oauth_provider.tokens.assertion_claims import (
    Assertion,
    BadAssertionError,
    check_claims,
    expires_at,
    read_assertion,
)
from oauth_provider.tokens.client_authentication import (
    AmbiguousAuthenticationError,
    UnknownClientError,
    find_client,
    usable,
)
from oauth_provider.tokens.models import UsedAssertion

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# An assertion that names no key is tried with so many
_TRIED = 5


def claimed_client(parameters: Mapping[str, str]) -> str:
    """Who the assertion of a request says it is from, unproven: `client_id` may be left out beside it (RFC 7521, 4.2).

    "" without an assertion that can be read.
    """
    try:
        return read_assertion(parameters.get("client_assertion", "")).client_id
    except BadAssertionError:
        return ""


def prove_by_assertion(*, authorization: str, parameters: Mapping[str, str]) -> Client | None:
    """The client that signed the assertion of the request; None when the request has none.

    Raises:
        AmbiguousAuthenticationError: it comes beside another proof (RFC 7521 section 4.2).
        UnknownClientError: it proves nothing.
    """
    if "client_assertion" not in parameters and "client_assertion_type" not in parameters:
        return None
    if authorization or "client_secret" in parameters:
        raise AmbiguousAuthenticationError("two_authentication_methods")
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise UnknownClientError("assertion_type")
    try:
        assertion = read_assertion(parameters.get("client_assertion", ""))
    except BadAssertionError as error:
        raise UnknownClientError(error.reason) from error
    if parameters.get("client_id", assertion.client_id) != assertion.client_id:
        raise UnknownClientError("assertion_subject")
    client = usable(find_client(assertion.client_id))
    try:
        _verify(assertion, _keys(client, assertion.kid))
        check_claims(assertion.claims, now=time.time())
        _use_up(assertion, client)
    except BadAssertionError as error:
        raise UnknownClientError(error.reason, client.client_id) from error
    return client


def _keys(client: Client, kid: str) -> KeySet:
    if client.jwks:
        return public_keys(client.jwks)
    if not client.jwks_uri:
        raise BadAssertionError("client_without_keys")
    try:
        return keys_at(client.jwks_uri, kid=kid)
    except KeysUnavailableError as error:
        raise BadAssertionError("client_keys_unavailable") from error


def _verify(assertion: Assertion, keys: KeySet) -> None:
    fitting = [key for key in keys if _fits(key, assertion)]
    if not fitting:
        raise BadAssertionError("assertion_key")
    for key in fitting[:_TRIED]:
        try:
            jws.deserialize_compact(assertion.text, key, algorithms=[assertion.algorithm])
        except (JoseError, ValueError):
            continue
        return
    raise BadAssertionError("assertion_signature")


def _fits(key: Key, assertion: Assertion) -> bool:
    # The algorithm is the one the key is for, never the one the assertion would like (RFC 8725 section 3.1)
    if key.alg not in (None, assertion.algorithm) or (assertion.kid and key.kid != assertion.kid):
        return False
    if assertion.algorithm == "RS256":
        return isinstance(key, RSAKey)
    return isinstance(key, ECKey) and key.curve_name == "P-256"


def _use_up(assertion: Assertion, client: Client) -> None:
    """Note that it was used; of two requests at the same moment, in whatever process, one comes second."""
    digest = hashlib.sha256(f"{client.pk}\n{assertion.claims['jti']}".encode()).hexdigest()
    ends = datetime.fromtimestamp(expires_at(assertion.claims), UTC)
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(digest=digest, expires_at=ends)
    except IntegrityError as error:
        raise BadAssertionError("assertion_replayed") from error
