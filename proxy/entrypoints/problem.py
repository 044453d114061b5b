"""A refusal as an HTTP answer: application/problem+json (RFC 9457), the one place that renders it."""

import json

from proxy.refusals import Headers, Refusal

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "about:blank"


def render(refusal: Refusal, *, request_id: str) -> tuple[Headers, bytes]:
    """The headers, in lower case, and the body of the answer to a refused request."""
    document = {
        "type": TYPE_BASE,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "request_id": request_id,
        "error": refusal.error,
        "error_description": refusal.detail,
        **refusal.members,
    }
    body = json.dumps(document).encode()
    headers = (
        ("content-type", MEDIA_TYPE),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        ("vary", "Origin"),
        *refusal.headers,
    )
    return headers, body
