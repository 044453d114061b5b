"""Media types of JSON bodies (RFC 6839 section 3.1: what ends in +json is written as JSON)."""

import re
from typing import Final

JSON: Final = "application/json"
MEDIA_TYPE_MAX: Final = 100
_WORD: Final = r"[A-Za-z0-9!#$&^_.+-]+"
# With its parameters (RFC 9110 section 8.3.1)
JSON_TYPE: Final = rf'\A{_WORD}/({_WORD}\+)?json(; ?{_WORD}=({_WORD}|"[ !#-\[\]-~]*"))*\Z'
_JSON_TYPE: Final = re.compile(JSON_TYPE)


def kind_of(name: str) -> str:
    """A media type in lower case, without its parameters."""
    return name.partition(";")[0].strip().lower()


def request_type_of(name: str) -> str:
    """The media type that a document names for a body, as an operation keeps it; "" for application/json and a range.

    One that nobody could send, for its length or its characters, loses its parameters, or becomes "".
    """
    kind, (_kind, semicolon, parameters) = kind_of(name), name.strip().partition(";")
    if not kind.endswith("+json"):
        return ""
    wanted = (f"{kind}{semicolon}{parameters}", kind)
    return next((each for each in wanted if len(each) <= MEDIA_TYPE_MAX and _JSON_TYPE.match(each)), "")
