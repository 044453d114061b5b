"""The public keys an issuer publishes (RFC 7517): only those that may verify its tokens, and nothing of the rest."""

from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from oauth_provider.outbound.fetch import FetchError, fetch
from oauth_provider.outbound.keys import BadKeysError, public_keys
from proxy.catalogue.issuer_plan import IssuerPlan

MAX_BYTES = 262_144
TIMEOUT_S = 5.0
# Each kind of key is good for one of them; symmetric keys are no public keys
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
# RFC 9864 gives EdDSA with this curve a name of its own
_SAME = {"Ed25519": "EdDSA"}


class JwksFault(Exception):
    """The document cannot be had or is none. `reason` is a slug: that of the fetch or of the keys, or answer_status."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key and the algorithm it is good for."""

    kid: str | None
    algorithm: str
    key: Any = field(repr=False)

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
    """The usable keys of a JWK Set; one of another kind is left out (RFC 7517 section 5).

    Raises:
        JwksFault: it is no JWK Set, holds a private key, or has nothing usable.
    """
    try:
        found = public_keys(body)
    except BadKeysError as fault:
        raise JwksFault(fault.reason) from fault
    keys = [PublicKey(key.kid, algorithm, key) for key in found.keys if (algorithm := _algorithm(key))]
    if not keys:
        raise JwksFault("no_usable_key")
    return PublicKeys(tuple(keys))


def _algorithm(key: object) -> str:
    """What `key` is good for, "" when for none of ours or when it says something else (RFC 8725 section 3.1)."""
    if isinstance(key, RSAKey):
        found = "RS256"
    elif isinstance(key, ECKey) and key.curve_name == "P-256":
        found = "ES256"
    elif isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        found = "EdDSA"
    else:
        return ""
    named = key.get("alg", found)
    return found if _SAME.get(str(named), named) == found else ""
