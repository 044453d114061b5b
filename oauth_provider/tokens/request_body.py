"""The parameters of a token request: a form by RFC 6749, or JSON for the clients that staff allow it.

Everything ambiguous is refused here, before oauthlib reads a word: parameters in the query, a name twice,
values that are not text, NUL, bodies beyond 64 KiB.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest
from django.http.request import RawPostDataException
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauthlib.common import urlencode

MAX_BODY_BYTES = 65_536
MAX_PARAMETERS = 50
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# PostgreSQL stores no NUL, and nothing encodes half a surrogate pair
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


class BodyError(Exception):
    """The request cannot be read; `status` and `description` go to the client, `reason` to the ledger."""

    def __init__(self, reason: str, description: str, *, status: int = 400, error: str = "invalid_request") -> None:
        super().__init__(reason)
        self.reason = reason
        self.description = description
        self.status = status
        self.error = error


def is_json(request: HttpRequest) -> bool:
    """Whether the body says it is JSON."""
    return request.content_type == JSON


def read_parameters(request: HttpRequest) -> dict[str, str]:
    """The body's parameters by name; empty ones count as absent (RFC 6749 section 3.2).

    Raises:
        BodyError: anything that has no single meaning.
    """
    if request.META.get("QUERY_STRING"):
        raise BodyError("query_parameters", "Parameters belong in the body, never in the URL.")
    body = _body(request)
    if request.content_type == FORM or (not request.content_type and not body):
        pairs = _form(body)
    elif is_json(request):
        pairs = _json(body)
    else:
        raise BodyError("content_type", f"Send the parameters as {FORM}.", status=415)
    return _unambiguous(pairs)


def _body(request: HttpRequest) -> bytes:
    try:
        body = request.body
    except RawPostDataException as error:
        raise BodyError("unreadable_body", "The body could not be read.") from error
    if len(body) > MAX_BODY_BYTES:
        raise BodyError("body_too_large", "The body is too large.", status=413)
    return body


def _form(body: bytes) -> list[tuple[str, Any]]:
    try:
        text = body.decode("utf-8")
        return list(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS))
    except ValueError as error:
        raise BodyError("malformed_form", "The form is not well-formed UTF-8.") from error


def _json(body: bytes) -> list[tuple[str, Any]]:
    try:
        # Pairs, so that a repeated name is still visible; nested objects become lists and are refused
        pairs = json.loads(body.decode("utf-8"), object_pairs_hook=lambda found: found)
    except (ValueError, RecursionError) as error:
        raise BodyError("malformed_json", "The body is not well-formed JSON.") from error
    if not body.lstrip().startswith(b"{"):
        raise BodyError("malformed_json", "The JSON body must be an object.")
    if len(pairs) > MAX_PARAMETERS:
        raise BodyError("too_many_parameters", "There are too many parameters.")
    return list(pairs)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if not isinstance(value, str):
            raise BodyError("not_text", "Every value must be a text.")
        if _FORBIDDEN.search(name) or _FORBIDDEN.search(value):
            raise BodyError("forbidden_character", "A value holds a character that is not allowed.")
        if name in parameters and not (name == "resource" and parameters[name] == value):
            # RFC 8707 lets resource repeat; our tokens have one audience
            error = "invalid_target" if name == "resource" else "invalid_request"
            raise BodyError("duplicate_parameter", "Send every parameter once.", error=error)
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


class RequestCore(OAuthLibCore):
    """Hands oauthlib the parameters that `read_parameters` accepted, always as a form."""

    def __init__(self, server: Any = None, *, accepted: dict[str, str] | None = None) -> None:  # noqa: ANN401 - the library's server has no type
        super().__init__(server)
        self._accepted = accepted

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The accepted parameters: those the caller read already, or read now.

        Raises:
            BodyError: see `read_parameters`.
        """
        if self._accepted is not None:
            return list(self._accepted.items())
        return list(read_parameters(request).items()) if request.method == "POST" else []

    def _extract_params(self, request: HttpRequest) -> tuple[str, str, str, dict[str, Any]]:
        uri = self._get_escaped_full_path(request)
        headers = self.extract_headers(request) | {"Content-Type": FORM}
        return uri, str(request.method), urlencode(self.extract_body(request)), headers
