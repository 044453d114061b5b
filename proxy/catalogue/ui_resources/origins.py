"""Which origins a page may name for itself: https alone, so that no entry opens more than it says."""

import re
from typing import Final

ORIGINS_MAX: Final = 20
_HOST = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
# A wildcard stands for subdomains of a domain, never of all that ends alike (CSP level 3 section 2.3.1, host-part)
_ORIGIN = re.compile(rf"\Ahttps://(?:\*\.)?{_HOST}(?::[1-9][0-9]{{0,4}})?\Z")
_DOMAIN = re.compile(rf"\A(?:https://)?{_HOST}\Z")
LENGTH_MAX: Final = 253


def is_origin_list(value: object) -> bool:
    """Whether it is a list of at most 20 origins such as https://api.example.com or https://*.example.com."""
    return isinstance(value, list) and len(value) <= ORIGINS_MAX and all(map(_is_origin, value))


def is_domain(value: str) -> bool:
    """Whether it is a host name, alone or as an https origin: hosts of pages want either."""
    return len(value) <= LENGTH_MAX and _DOMAIN.match(value) is not None


def _is_origin(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LENGTH_MAX and _ORIGIN.match(value) is not None
