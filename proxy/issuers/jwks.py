"""The public keys an issuer publishes (RFC 7517): only those that may verify its tokens, and nothing of the rest."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from oauth_provider.outbound.fetch import FetchError, fetch
from proxy.catalogue.issuer_plan import IssuerPlan

MAX_BYTES = 262_144
MAX_KEYS = 100
TIMEOUT_S = 5.0
MIN_RSA_BITS = 2048
Key = RSAKey | ECKey | OKPKey
# The one algorithm that each kind of key is good for here; symmetric keys are no public keys
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
_KINDS: Final = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
_CLASSES: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {
    "RS256": RSAKey,
    "ES256": ECKey,
    "EdDSA": OKPKey,
}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class JwksFault(Exception):
    """The document cannot be had or is none. `reason` is a slug: that of the fetch, answer_status or answer_no_jwks."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key and the algorithm it is good for."""

    kid: str | None
    algorithm: str
    key: Key = field(repr=False)

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Whether `signature` over `signed` was made with the private half."""
        # Straight to the algorithm: the registry around it warns of EdDSA, as the name that RFC 9864 replaced
        try:
            return bool(JWSRegistry.algorithms[self.algorithm].verify(signed, signature, self.key))
        except (JoseError, ValueError):
            return False


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What a JWK Set has for us."""

    keys: tuple[PublicKey, ...]

    def find(self, *, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of that name for that algorithm; without a name, the only one there is for it."""
        fitting = [key for key in self.keys if key.algorithm == algorithm and kid in {None, key.kid}]
        return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None


def fetch_keys(issuer: IssuerPlan) -> PublicKeys:
    """The keys of `issuer` as it publishes them now; one request, no redirect, five seconds, 256 KiB.

    Raises:
        JwksFault: they cannot be had.
    """
    try:
        answer = fetch(
            url=issuer.jwks_url, max_bytes=MAX_BYTES, timeout_s=TIMEOUT_S, allow_private=issuer.allow_private
        )
    except FetchError as fault:
        raise JwksFault(fault.reason) from fault
    if answer.status != 200:
        raise JwksFault("answer_status")
    return parse_keys(answer.body)


def parse_keys(body: bytes) -> PublicKeys:
    """The usable keys of a JWK Set; one that cannot be used is left out (RFC 7517 section 5).

    Raises:
        JwksFault: it is no JWK Set, or has nothing usable.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise JwksFault("answer_no_jwks") from None
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise JwksFault("answer_no_jwks")
    keys = tuple(key for row in rows[:MAX_KEYS] if (key := _usable(row)) is not None)
    if not keys:
        raise JwksFault("answer_no_jwks")
    return PublicKeys(keys)


def _usable(row: Any) -> PublicKey | None:  # noqa: ANN401 - whatever was published
    if not isinstance(row, dict) or _PRIVATE & row.keys():
        # A published private key proves nothing about whoever signs with it
        return None
    kind = (row.get("kty"), None if row.get("kty") == "RSA" else row.get("crv"))
    algorithm = _KINDS.get(kind) if all(isinstance(part, str | None) for part in kind) else None
    operations = row.get("key_ops", ["verify"])
    named = row.get("alg", algorithm)
    is_meant = (
        row.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        # RFC 9864 calls EdDSA with this curve Ed25519
        and (named == algorithm or (algorithm == "EdDSA" and named == "Ed25519"))
    )
    kid = row.get("kid")
    if algorithm is None or not is_meant or not isinstance(kid, str | None):
        return None
    members = {name: row[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in row}
    try:
        key = _CLASSES[algorithm].import_key(members)
        public = key.public_key
    except (JoseError, ValueError, TypeError, OverflowError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        return None
    return PublicKey(kid=kid, algorithm=algorithm, key=key)
