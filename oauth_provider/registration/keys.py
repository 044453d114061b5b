"""The public keys a client registers to prove itself with a signature (RFC 7591 section 2, RFC 7523)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import translation

from oauth_provider.clients.models import AuthMethod
from oauth_provider.clients.public_keys import check_public_keys
from oauth_provider.registration.errors import InvalidMetadataError


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """By value, as the JSON of a JWK Set, or by address; "" for what is not given. Nothing is fetched here."""

    jwks: str = ""
    jwks_uri: str = ""


NO_KEYS = PublicKeys()


def read_keys(fields: Mapping[str, Any]) -> PublicKeys:
    """The keys of a registration that asks for private_key_jwt.

    Raises:
        InvalidMetadataError: none, both, or of a kind that cannot be used; a private key among them.
    """
    jwks, jwks_uri = fields.get("jwks"), fields.get("jwks_uri", "")
    if not isinstance(jwks, dict | None) or not isinstance(jwks_uri, str):
        raise InvalidMetadataError("wrong_type", "jwks must be an object, jwks_uri a text.")
    text = json.dumps(jwks) if jwks else ""
    try:
        with translation.override("en"):
            check_public_keys(method=AuthMethod.PRIVATE_KEY_JWT, jwks=text, jwks_uri=jwks_uri)
            problem = ""
    except ValidationError as fault:
        name, words = next(iter(fault.message_dict.items()))
        problem = f"{name}: {words[0]}".encode("ascii", "ignore").decode()
    if problem:
        raise InvalidMetadataError("unusable_keys", problem)
    return PublicKeys(text, jwks_uri)
