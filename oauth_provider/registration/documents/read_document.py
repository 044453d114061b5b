"""From the bytes at a client's id to what the client may be here (draft section 4; MCP authorization 2026-07-28).

Methods, grants and response types are intersected with ours and not refused: clients list all they can do.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError

from oauth_provider.clients.models import AuthMethod
from oauth_provider.clients.public_keys import MAX_JWKS, check_public_keys
from oauth_provider.registration.documents.errors import InvalidDocumentError
from oauth_provider.registration.errors import RegistrationError
from oauth_provider.registration.metadata import PUBLIC_METHOD, Metadata, negotiate
from oauth_provider.strict_json import loads

# The draft recommends 5 KB; some clients list many addresses
MAX_BYTES = 16_384
MAX_FIELDS = 100
MAX_METHODS = 20
_METHODS = (PUBLIC_METHOD, AuthMethod.PRIVATE_KEY_JWT.value)
_SHARED_SECRET = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})
_SECRETS = ("client_secret", "client_secret_expires_at")
_ALGORITHMS = frozenset({"ES256", "RS256"})


@dataclass(frozen=True, slots=True)
class Described:
    """A client by its own words. `methods` are those it may prove itself by, the preferred one first.

    `content` is the whole document as canonical JSON; `jwks` is JSON text, "" when the keys are elsewhere.
    """

    metadata: Metadata
    methods: tuple[str, ...]
    jwks: str
    jwks_uri: str
    content: str

    @property
    def is_public(self) -> bool:
        """It may come without any proof (RFC 6749 section 2.1)."""
        return PUBLIC_METHOD in self.methods

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the content."""
        return hashlib.sha256(self.content.encode()).hexdigest()


def read_document(url: str, body: bytes) -> Described:
    """The client that the document at `url` describes.

    Raises:
        InvalidDocumentError: it describes none, or another one.
    """
    fields = _fields(body)
    if fields.get("client_id") != url:
        raise InvalidDocumentError("document_client_id", "client_id in the document must equal its own address.")
    if any(name in fields for name in _SECRETS):
        raise InvalidDocumentError("document_secret", "The document is public: it must not hold a client_secret.")
    methods = _methods(fields)
    jwks, jwks_uri = _keys(fields) if AuthMethod.PRIVATE_KEY_JWT in methods else ("", "")
    if not jwks and not jwks_uri:
        methods = tuple(method for method in methods if method == PUBLIC_METHOD)
    if not methods:
        raise InvalidDocumentError("document_keys", "private_key_jwt needs jwks or jwks_uri.")
    return Described(
        metadata=replace(_negotiated(fields), auth_method=methods[0]),
        methods=methods,
        jwks=jwks,
        jwks_uri=jwks_uri,
        content=canonical(fields),
    )


def canonical(fields: Mapping[str, Any]) -> str:
    """One text for all spellings of the same JSON object."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def _fields(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BYTES:
        raise InvalidDocumentError("document_size", f"The document has more than {MAX_BYTES} bytes.")
    try:
        found = loads(body)
    except ValueError as fault:
        raise InvalidDocumentError("document_json", "The document is not JSON with every name once.") from fault
    if not isinstance(found, dict) or len(found) > MAX_FIELDS:
        raise InvalidDocumentError("document_json", f"The document must be an object of at most {MAX_FIELDS} fields.")
    return {name: value for name, value in found.items() if value not in (None, "")}


def _methods(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What both sides can do, the client's preference first (SEP-3149)."""
    preferred = fields.get("token_endpoint_auth_method", PUBLIC_METHOD)
    offered = fields.get("token_endpoint_auth_methods_supported", [preferred])
    if not isinstance(preferred, str) or not isinstance(offered, list) or len(offered) > MAX_METHODS:
        raise InvalidDocumentError("document_auth_method", "token_endpoint_auth_method must be a text.")
    if preferred in _SHARED_SECRET:
        raise InvalidDocumentError("document_auth_method", "A public document cannot use a shared secret.")
    both = [method for method in _METHODS if method in offered]
    if str(fields.get("token_endpoint_auth_signing_alg", "RS256")) not in _ALGORITHMS:
        both = [method for method in both if method == PUBLIC_METHOD]
    if not both:
        words = "token_endpoint_auth_method must be none, or private_key_jwt with RS256 or ES256."
        raise InvalidDocumentError("document_auth_method", words)
    return tuple(sorted(both, key=lambda method: method != preferred))


def _keys(fields: Mapping[str, Any]) -> tuple[str, str]:
    jwks = canonical(fields["jwks"]) if isinstance(fields.get("jwks"), dict) else ""
    jwks_uri = fields.get("jwks_uri", "")
    if ("jwks" in fields and not jwks) or not isinstance(jwks_uri, str) or len(jwks) > MAX_JWKS:
        raise InvalidDocumentError("document_keys", "jwks must be a JWK Set, jwks_uri an https address.")
    try:
        check_public_keys(method="", jwks=jwks, jwks_uri=jwks_uri)
    except ValidationError as fault:
        words = "jwks or jwks_uri, not both: public keys only, or a public https address."
        raise InvalidDocumentError("document_keys", words) from fault
    return jwks, jwks_uri


def _negotiated(fields: Mapping[str, Any]) -> Metadata:
    plain = {name: value for name, value in fields.items() if name != "token_endpoint_auth_methods_supported"}
    try:
        metadata = negotiate(plain | {"token_endpoint_auth_method": PUBLIC_METHOD})
    except RegistrationError as fault:
        raise InvalidDocumentError(f"document_{fault.reason}"[:64], fault.description) from fault
    if not metadata.name:
        raise InvalidDocumentError("document_name", "client_name is missing.")
    return metadata
