"""An answer as it is kept: status, headers and body, sealed."""

import base64
import json
from dataclasses import dataclass

from oauth_provider.keys.encryption import decrypt, encrypt

Headers = tuple[tuple[str, str], ...]
# A larger answer reaches its caller, and is not kept
ANSWER_MAX = 1_048_576


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


def seal(answer: KeptAnswer) -> str:
    """For the database."""
    document = [answer.status, answer.headers, base64.b64encode(answer.body).decode()]
    return encrypt(json.dumps(document).encode())


def unseal(sealed: str) -> KeptAnswer:
    """The same answer.

    Raises:
        Undecipherable: no key of ours opens it.
    """
    status, headers, body = json.loads(decrypt(sealed))
    return KeptAnswer(status, tuple((name, value) for name, value in headers), base64.b64decode(body))
