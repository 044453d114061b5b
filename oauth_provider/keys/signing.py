"""The ES256 keys that sign identity assertions, and their public document (RFC 7517)."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from joserfc.jwk import ECKey

from oauth_provider.keys.encryption import decrypt, encrypt
from oauth_provider.keys.models import SigningKey
from oauth_provider.revisions.bump import bump


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A private key ready to sign, and the id its public half is published under."""

    kid: str
    private: ec.EllipticCurvePrivateKey


def current_signing_key() -> LoadedKey:
    """The key that signs now: the newest that is not retired, made at the first call."""
    row = SigningKey.objects.filter(retired_at=None).first() or create_signing_key()
    return _load(row.kid, row.private_pem_encrypted)


def create_signing_key() -> SigningKey:
    """A new P-256 key pair, in force at once; older ones keep verifying."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = ECKey.import_key(pem)
    kid = hashlib.sha256(key.thumbprint().encode()).hexdigest()[:16]
    public = dict(key.as_dict(private=False)) | {"kid": kid, "use": "sig", "alg": "ES256"}
    with transaction.atomic():
        row = SigningKey.objects.create(kid=kid, private_pem_encrypted=encrypt(pem), public_jwk=public)
        bump("catalogue")
    return row


def jwks() -> dict[str, Any]:
    """The JWK Set of every key that may have signed something still valid (RFC 7517 section 5)."""
    return {"keys": list(SigningKey.objects.values_list("public_jwk", flat=True))}


@lru_cache(maxsize=8)
def _load(kid: str, sealed: str) -> LoadedKey:
    private = serialization.load_pem_private_key(decrypt(sealed), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"signing key {kid} is not an EC key")
    return LoadedKey(kid=kid, private=private)
