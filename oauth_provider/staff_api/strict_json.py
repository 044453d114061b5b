"""JSON in and out, whatever the caller says it accepts, and nothing that two parsers would read differently."""

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from oauth_provider.strict_json import loads


class AlwaysJson(BaseContentNegotiation):
    """There is one representation of everything."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of the body's media type, None when there is none."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first and only one."""
        del request, format_suffix
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class StrictJsonParser(BaseParser):
    """RFC 8259: UTF-8, no name twice, no NaN; nesting has an end."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - whatever was sent
        """The value of the body.

        Raises:
            ParseError: it is no JSON.
        """
        del media_type, parser_context
        try:
            value = loads(stream.read())
            # Half a character (RFC 8259 section 8.2) could be neither stored nor named in an answer
            json.dumps(value, ensure_ascii=False).encode()
        except ValueError as fault:
            raise ParseError(_("The body is not JSON that can be read.")) from fault
        return value
