"""From the bytes of a registration to its fields: one JSON object, every name once, bounded."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from oauth_provider.registration.errors import UnreadableBodyError
from oauth_provider.strict_json import loads

MAX_BODY_BYTES = 65_536
MAX_FIELDS = 100


def read_body(request: HttpRequest) -> Mapping[str, Any]:
    """The members of the object that was sent.

    Raises:
        UnreadableBodyError: another media type, too large, not UTF-8, no JSON object, or a name twice.
    """
    if request.content_type != "application/json":
        raise UnreadableBodyError("content_type", "Send the metadata as application/json.", status=415)
    try:
        body = request.body
    except RequestDataTooBig as fault:
        raise _too_large() from fault
    except UnreadablePostError as fault:
        raise UnreadableBodyError("unreadable_body", "The body could not be read.") from fault
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        found = loads(body)
    except ValueError as fault:
        raise UnreadableBodyError("malformed_json", "The body is not well-formed JSON with every name once.") from fault
    if not isinstance(found, dict):
        raise UnreadableBodyError("malformed_json", "The body must be a JSON object.")
    if len(found) > MAX_FIELDS:
        raise UnreadableBodyError("too_many_fields", f"Send at most {MAX_FIELDS} fields.")
    # Absent, null and "" say the same: nothing (SDKs write either)
    return {name: value for name, value in found.items() if value not in (None, "")}


def _too_large() -> UnreadableBodyError:
    return UnreadableBodyError("body_too_large", f"The body has more than {MAX_BODY_BYTES} bytes.", status=413)
