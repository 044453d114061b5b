"""Lists by keyset: each page begins after the last row of the one before, however many rows there are."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError as ModelFault
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
PAGE = ("cursor", "limit")
Filter = Callable[[str], Q]


class KeysetPages(BasePagination):
    """`?limit=&cursor=` and the view's `filters`; another parameter is an error, so that no slip finds everything."""

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:  # noqa: ANN401 - any view
        """The rows of the page that `request` asks for, narrowed by the view's filters.

        Raises:
            ValidationError: by parameter.
        """
        wanted = queryset.filter(filters_of(request, view.filters))
        limit = limit_of(request)
        self.count = wanted.count() if view.counted else None
        rows = list(after(wanted, view.order, request.query_params.get("cursor", ""))[: limit + 1])
        self.next = ""
        if len(rows) > limit:
            self.next = next_url(request, cursor_of(rows[limit - 1], view.order))
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:  # noqa: ANN401 - the serialized rows
        """`count`, `next` and `results`."""
        return Response({"count": self.count, "next": self.next or None, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The same, for the OpenAPI document."""
        return page_schema(schema)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any view
        """The parameters of a list, for the OpenAPI document."""
        return query_parameters(*PAGE, *view.filters)


def page_schema(rows: dict[str, Any]) -> dict[str, Any]:
    """A page of `rows` in OpenAPI."""
    return {
        "type": "object",
        "required": ["count", "next", "results"],
        "properties": {
            "count": {"type": "integer", "nullable": True, "description": "null where counting is dear"},
            "next": {"type": "string", "format": "uri", "nullable": True},
            "results": rows,
        },
    }


def query_parameters(*names: str) -> list[dict[str, Any]]:
    """Optional query parameters in OpenAPI."""
    number = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return [
        {"name": name, "in": "query", "required": False, "schema": number if name == "limit" else {"type": "string"}}
        for name in names
    ]


def filters_of(request: Request, filters: Mapping[str, Filter]) -> Q:
    """What the query asks for.

    Raises:
        ValidationError: by parameter; one that is unknown or stands there twice is an error too.
    """
    wanted, errors = Q(), {}
    for name, values in request.query_params.lists():
        if len(values) != 1 or "\x00" in values[0]:
            errors[name] = [_("Give it once, as text.")]
        elif name in filters:
            try:
                wanted &= filters[name](values[0])
            except ModelFault as fault:
                errors[name] = fault.messages
        elif name not in PAGE:
            errors[name] = [_("There is no such parameter.")]
    if errors:
        raise ValidationError(errors)
    return wanted


def limit_of(request: Request) -> int:
    """How many rows a page has.

    Raises:
        ValidationError: not a number from 1 to `MAX_LIMIT`.
    """
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):
        raise ValidationError({"limit": [_("A number from 1 to %(max)d.") % {"max": MAX_LIMIT}]})
    return int(text)


def next_url(request: Request, cursor: str) -> str:
    """The address of the page that begins after `cursor`, with the same filters."""
    query = {name: value for name, value in request.query_params.items() if name != "cursor"}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query | {'cursor': cursor})}")


def cursor_of(row: Any, order: Sequence[str]) -> str:  # noqa: ANN401 - any model's
    """The place of `row` in the order, safe in a URL."""
    values = [str(getattr(row, name.removeprefix("-"))) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def after(rows: QuerySet[Any], order: Sequence[str], cursor: str) -> QuerySet[Any]:
    """Those of `rows` that come after `cursor` in `order`, whose last column is unique; "-" for descending columns.

    Raises:
        ValidationError: `cursor` is none of ours.
    """
    rows = rows.order_by(*order)
    if not cursor:
        return rows
    names = [name.removeprefix("-") for name in order]
    try:
        values = json.loads(base64.urlsafe_b64decode(f"{cursor}{'=' * (-len(cursor) % 4)}"))
        fields = [rows.model._meta.get_field(name) for name in names]
        places = [_cleaned(field, value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error, ModelFault) as fault:
        raise ValidationError({"cursor": [_("Not a cursor.")]}) from fault
    place = Q()
    for asked, name, value in reversed(list(zip(order, names, places, strict=True))):
        beyond = Q(**{f"{name}__{'lt' if asked.startswith('-') else 'gt'}": value})
        place = beyond | (Q(**{name: value}) & place) if place else beyond
    # Comparing the first column alone lets the database start the index scan there
    first = f"{names[0]}__{'lte' if order[0].startswith('-') else 'gte'}"
    return rows.filter(place, **{first: places[0]})


def _cleaned(field: Any, value: object) -> Any:  # noqa: ANN401 - any model's field
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError(value)
    cleaned = field.to_python(value)
    # Past the ends of the calendar in one zone or the other
    return cleaned.astimezone(UTC) if isinstance(cleaned, datetime) else _bounded(field, cleaned)


def _bounded(field: Any, value: Any) -> Any:  # noqa: ANN401 - any model's field
    if isinstance(value, int):
        field.run_validators(value)
    return value
