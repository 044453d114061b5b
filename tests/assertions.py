"""A client's key and what it signs with it (RFC 7523 section 2.2)."""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from joserfc import jws
from joserfc.jwk import ECKey, Key, KeyParameters, RSAKey

from oauth_provider.clients.models import AuthMethod

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Signer:
    """A client that has a key."""

    client_id: str = ""
    algorithm: str = "RS256"
    kid: str = "1"
    holder: str = "client"

    @property
    def key(self) -> RSAKey | ECKey:
        """The key of its holder."""
        return made_key(self.algorithm, self.kid, self.holder)

    @property
    def key_set(self) -> dict[str, Any]:
        """Its public half."""
        return {"keys": [dict(self.key.as_dict(private=False))]}

    def fields(self, **changes: Any) -> dict[str, Any]:
        """What a client of ours that has this key is made of."""
        known = {"token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT, "jwks": json.dumps(self.key_set)}
        return known | changes

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A good set of claims; what is changed to None is left out."""
        now = int(time.time())
        good = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": settings.PUBLIC_BASE_URL,
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(self, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A signed assertion."""
        protected = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} | (header or {})
        kept = {name: value for name, value in protected.items() if value is not None}
        return sign(kept, json.dumps(self.claims(**changes)).encode(), self.key)

    def proof(self, **changes: Any) -> dict[str, str]:
        """The parameters of a request."""
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.sign(**changes)}


@cache
def made_key(algorithm: str, kid: str, holder: str) -> RSAKey | ECKey:
    """Made once for all tests: an RSA key takes a while."""
    del holder
    parameters: KeyParameters = {"kid": kid}
    return RSAKey.generate_key(2048, parameters) if algorithm == "RS256" else ECKey.generate_key("P-256", parameters)


def sign(header: dict[str, Any], payload: bytes, key: Key) -> str:
    """Whatever is said, signed with a key that fits the algorithm; no library would sign every header we try."""
    text = f"{_encoded(json.dumps(header).encode())}.{_encoded(payload)}"
    algorithm = jws.JWSRegistry.algorithms[str(header["alg"])]
    return f"{text}.{_encoded(algorithm.sign(text.encode(), key))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
