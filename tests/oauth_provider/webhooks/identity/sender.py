"""An identity provider that sends signed messages, with the signature made as the specification of it says."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from django.test import Client as Browser

URL = "/webhooks/identity"


def new_secret() -> str:
    """As a provider shows it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def sign(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """`v1,…` over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


@dataclass
class Sender:
    """Knows the secret; `family` is how it calls its headers."""

    secret: str
    family: str = "svix"
    browser: Browser = field(default_factory=Browser)

    def headers(self, body: bytes, *, name: str = "", at: float | None = None, **changes: str) -> dict[str, str]:
        """What goes with `body`; `changes` by the part after the family."""
        name, timestamp = name or f"msg_{secrets.token_hex(8)}", str(int(time.time() if at is None else at))
        parts = {"id": name, "timestamp": timestamp, "signature": sign(self.secret, name, timestamp, body)} | changes
        return {f"{self.family}-{part}": value for part, value in parts.items() if value}

    def post(self, body: bytes, headers: dict[str, str]) -> Any:
        """Exactly that."""
        return self.browser.post(URL, body, content_type="application/json", headers=headers)

    def send(self, kind: str, *, name: str = "", said_at: float | None = None, **data: Any) -> Any:
        """A message of `kind` about `data`, said at that moment (seconds since the epoch)."""
        message: dict[str, Any] = {"type": kind, "object": "event", "data": data}
        if said_at is not None:
            message["timestamp"] = int(said_at * 1000)
        body = json.dumps(message).encode()
        return self.post(body, self.headers(body, name=name))


def clerk_emails(address: str, *, status: str = "verified") -> dict[str, Any]:
    """The part of Clerk's user object that says her addresses; the primary one is not the first."""
    return {
        "primary_email_address_id": "idn_2",
        "email_addresses": [
            {"id": "idn_1", "email_address": "old@acme.example", "verification": {"status": "verified"}},
            {"id": "idn_2", "email_address": address, "verification": {"status": status}},
        ],
    }
