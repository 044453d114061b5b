"""Every refusal of the management API as application/problem+json (RFC 9457), with `errors: {field: [words]}`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as ModelFault
from django.db import IntegrityError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from audit.ledger.origin import origin_request_id
from oauth_provider.in_use import InUseError

MEDIA_TYPE = "application/problem+json"
Errors = dict[str, list[str]]
log = structlog.get_logger(__name__)


class Conflict(exceptions.APIException):
    """What is asked for contradicts what is there."""

    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"


def problem(fault: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to a refused request; None for a fault of ours, which is Django's to report."""
    renamed: Mapping[str, str] = getattr(context.get("view"), "renamed", {})
    errors: Errors = {}
    if isinstance(fault, ModelFault):
        errors = of_model(fault, renamed)
        fault = exceptions.ValidationError()
    elif isinstance(fault, exceptions.ValidationError):
        errors = flat(fault.detail)
    elif isinstance(fault, IntegrityError):
        # Somebody else was a moment earlier; which rule it broke is the database's to know
        log.info("manage_conflict", fault=type(fault).__name__)
        fault = Conflict(_("Something else with this name, or depending on this, is there already."))
    elif isinstance(fault, InUseError):
        fault = Conflict(str(fault))
    elif isinstance(fault, Http404):
        fault = exceptions.NotFound()
    elif isinstance(fault, PermissionDenied):
        fault = exceptions.PermissionDenied()
    if not isinstance(fault, exceptions.APIException):
        return None
    return _answer(fault, errors)


def of_model(fault: ModelFault, renamed: Mapping[str, str]) -> Errors:
    """What a model refused, under the names its fields have in the API."""
    found: Errors = {}
    by_field = fault.message_dict if hasattr(fault, "error_dict") else {NON_FIELD_ERRORS: fault.messages}
    for name, words in by_field.items():
        found.setdefault(renamed.get(name, name), []).extend(words)
    return found


def flat(detail: Any, place: str = "") -> Errors:  # noqa: ANN401 - nested as the input was
    """Words by the path of their field, such as `0.path` for the first of a list."""
    if isinstance(detail, Mapping):
        pairs = [(f"{place}.{name}" if place else str(name), inner) for name, inner in detail.items()]
    elif isinstance(detail, list) and any(isinstance(inner, Mapping | list) for inner in detail):
        pairs = [(f"{place}.{index}" if place else str(index), inner) for index, inner in enumerate(detail)]
    else:
        words = detail if isinstance(detail, list) else [detail]
        return {place or NON_FIELD_ERRORS: [str(word) for word in words]} if words else {}
    found: Errors = {}
    for name, inner in pairs:
        found |= flat(inner, name)
    return found


def _answer(fault: exceptions.APIException, errors: Errors) -> Response:
    status = HTTPStatus(fault.status_code)
    if errors:
        words = _("Not accepted: %(names)s.") % {"names": ", ".join(sorted(errors))}
    else:
        words = str(fault.detail) if isinstance(fault.detail, str) else status.phrase
    document = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": words,
        "request_id": origin_request_id(),
        "error": fault.default_code if errors else _code(fault),
    } | ({"errors": errors} if errors else {})
    headers = {"Cache-Control": "no-store"}
    if challenge := getattr(fault, "auth_header", ""):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(fault, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return Response(document, status=int(status), headers=headers, content_type=MEDIA_TYPE)


def _code(fault: exceptions.APIException) -> str:
    codes = fault.get_codes()
    return codes if isinstance(codes, str) else fault.default_code
