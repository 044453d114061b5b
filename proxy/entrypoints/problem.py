"""A refusal as an HTTP answer: application/problem+json (RFC 9457), the one place that renders it."""

import json
from functools import lru_cache

from proxy.refusals import Headers, Refusal

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "about:blank"


def render(refusal: Refusal, *, request_id: str) -> tuple[Headers, bytes]:
    """The headers, in lower case, and the body of the answer to a refused request; `request_id` is one of ours."""
    # Two objects in one: what many have in common is written once
    members = refusal.members
    own = json.dumps({"request_id": request_id, **members})[1:] if members else f'"request_id": "{request_id}"}}'
    body = f"{_common(refusal.title, refusal.status, refusal.error, refusal.detail)}, {own}".encode()
    headers = (
        ("content-type", MEDIA_TYPE),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        ("vary", "Origin"),
        *refusal.headers,
    )
    return headers, body


@lru_cache(maxsize=256)
def _common(title: str, status: int, error: str, detail: str) -> str:
    document = {
        "type": TYPE_BASE,
        "title": title,
        "status": status,
        "detail": detail,
        "error": error,
        "error_description": detail,
    }
    return json.dumps(document)[:-1]
