"""The ES256 keys that sign identity assertions and access tokens, and their public document (RFC 7517)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.utils import timezone
from joserfc.jwk import ECKey

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.keys.encryption import decrypt, encrypt
from oauth_provider.keys.models import SigningKey
from oauth_provider.revisions.bump import bump

# How long verifiers may keep the JWK Set; twice that passes before a new key signs
JWKS_MAX_AGE_S = 300
OVERLAP = timedelta(seconds=2 * JWKS_MAX_AGE_S)
# The longest lifetime of what is signed: an access token of a client that staff gave a whole day
SIGNED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A private key ready to sign, the id its public half is published under, and when it begins (Unix seconds)."""

    kid: str
    private: ec.EllipticCurvePrivateKey
    signs_from: float


def signing_keys() -> tuple[LoadedKey, ...]:
    """The key that signs now and, when a rotation is under way, before it the one that will; made at the first call."""
    now = timezone.now()
    rows = list(SigningKey.objects.published(now))
    if not any(row.signs_from <= now for row in rows):
        rows.append(create_signing_key(signs_from=now))
    coming = [row for row in rows if row.signs_from > now]
    current = next(row for row in rows if row.signs_from <= now)
    return tuple(_load(row.kid, row.private_pem_encrypted, row.signs_from) for row in (*coming, current))


def current_signing_key() -> LoadedKey:
    """The key that signs now, made at the first call."""
    return signing_keys()[-1]


def create_signing_key(
    *, signs_from: datetime | None = None, private: ec.EllipticCurvePrivateKey | None = None
) -> SigningKey:
    """A P-256 key pair that signs from then on, at once when no time is given; it is published at once.

    Args:
        private: the operator's own key; a new one when there is none.
    """
    pem = (private or ec.generate_private_key(ec.SECP256R1())).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = ECKey.import_key(pem)
    kid = key_id(key)
    public = dict(key.as_dict(private=False)) | {"kid": kid, "use": "sig", "alg": "ES256"}
    with transaction.atomic():
        row = SigningKey.objects.create(
            kid=kid,
            private_pem_encrypted=encrypt(pem),
            public_jwk=public,
            signs_from=signs_from or timezone.now(),
        )
        bump("catalogue")
    return row


def key_id(key: ECKey) -> str:
    """The id a key is published under: made of its thumbprint (RFC 7638), so that it is the same everywhere."""
    return hashlib.sha256(key.thumbprint().encode()).hexdigest()[:16]


@transaction.atomic
def rotate_signing_key(
    *,
    compromised: bool = False,
    private: ec.EllipticCurvePrivateKey | None = None,
    actor: UserRef | None = None,
    reason: str = "",
) -> SigningKey:
    """Put a new key, or the operator's own (`private`), in the place of those there are.

    It signs when every verifier has had time to fetch it; the old ones verify until the last thing they signed has
    expired. With `compromised` the new one signs at once, and nothing the old ones signed verifies any more.
    """
    now = timezone.now()
    olds = SigningKey.objects.select_for_update().published(now)
    signs_from = now if compromised else now + OVERLAP
    ends = now if compromised else signs_from + SIGNED_FOR
    for old in olds:
        old.published_until = min(old.published_until or ends, ends)
        old.save(update_fields=["published_until"])
    new = create_signing_key(signs_from=signs_from, private=private)
    record(
        kind=Kind.SYSTEM_KEY_ROTATED,
        actor=actor,
        target=f"signing_key:{new.kid}",
        reason="compromised" if compromised else "",
        note=reason,
    )
    return new


def jwks() -> dict[str, Any]:
    """The JWK Set of every key that may have signed something still valid (RFC 7517 section 5)."""
    return {"keys": list(SigningKey.objects.published(timezone.now()).values_list("public_jwk", flat=True))}


@lru_cache(maxsize=8)
def _load(kid: str, sealed: str, signs_from: datetime) -> LoadedKey:
    private = serialization.load_pem_private_key(decrypt(sealed), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"signing key {kid} is not an EC key")
    return LoadedKey(kid=kid, private=private, signs_from=signs_from.timestamp())
