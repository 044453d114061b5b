"""A document between the page that shows its differences and the one that stores them: its maker's, for an hour."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

from django.core.cache import cache

KEPT_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Draft:
    """What was given. `content` is the document's text."""

    content: str
    scopes: tuple[str, ...]
    disable_missing: bool


def keep_draft(draft: Draft, *, user_id: str, backend_id: int) -> str:
    """Keep it, and return the name it is found by again."""
    written = json.dumps(asdict(draft))
    name = hashlib.sha256(written.encode()).hexdigest()
    cache.set(_key(name, user_id, backend_id), written, KEPT_S)
    return name


def kept_draft(name: str, *, user_id: str, backend_id: int) -> Draft | None:
    """What the same person gave for the same backend; None when it is not kept any more."""
    written = cache.get(_key(name, user_id, backend_id))
    if not isinstance(written, str):
        return None
    found = json.loads(written)
    return Draft(found["content"], tuple(found["scopes"]), bool(found["disable_missing"]))


def forget_draft(name: str, *, user_id: str, backend_id: int) -> None:
    """It was stored, so that nobody needs it any more."""
    cache.delete(_key(name, user_id, backend_id))


def _key(name: str, user_id: str, backend_id: int) -> str:
    # Memcached's rule, which Django enforces: no blanks, no controls
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"openapi-import:{user_id}:{backend_id}:{digest}"
