"""The key of the client that signs (RFC 7523): made anew for every run."""

import base64
import json
import secrets
import time
from typing import Any

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})


def key_set() -> str:
    """Its public half, as a JWK Set."""
    return json.dumps({"keys": [KEY.as_dict(private=False)]})


def claims(client_id: str, audience: str, **changes: Any) -> dict[str, Any]:
    """Good claims; what is changed to None is left out."""
    now = int(time.time())
    good = {"iss": client_id, "sub": client_id, "aud": audience, "exp": now + 120, "jti": secrets.token_urlsafe(16)}
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(said: dict[str, Any], *, key: ECKey = KEY, **header: Any) -> str:
    """The assertion."""
    head = {"alg": "ES256", "kid": "k1", **header}
    text = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(said).encode())}"
    return f"{text}.{encoded(JWSRegistry.algorithms['ES256'].sign(text.encode(), key))}"


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
