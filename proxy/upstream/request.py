"""The upstream request, put together from parts: nothing of the client's URL but path and query, byte for byte."""

from functools import lru_cache
from urllib.parse import quote

from proxy.catalogue.parameters import parameter, without
from proxy.catalogue.plans import BackendPlan

Headers = tuple[tuple[str, str], ...]
# Printable ASCII but the percent sign: such a value is its own encoding
_PLAIN = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
_IN_LIST = _PLAIN.replace(",", "")


def upstream_path(backend: BackendPlan, rest: str) -> str:
    """The path at the backend for `rest`, what follows the prefix as it was sent; "/" for the bare origin."""
    return f"{backend.base.path}{rest}" or "/"


def request_target(backend: BackendPlan, path: str, query: bytes, *, external_id: str = "") -> str:
    """The request target: `path` and, when there is one, the query, unchanged but for what is the gateway's alone.

    A parameter that names the user or carries the gateway's credential stands there once, with the gateway's value; one
    without a value is left out, never the caller's own.
    """
    text = query.decode("latin-1")
    if backend.own_parameters:
        identity = parameter(backend.identity_query, external_id) if backend.identity_query and external_id else ""
        parts = (without(text, backend.own_parameters), identity, backend.credential_parameter)
        text = "&".join(part for part in parts if part)
    return f"{path}?{text}" if text else path


@lru_cache(maxsize=4096)
def identity_headers(
    backend: BackendPlan,
    *,
    external_id: str,
    client_id: str,
    scopes: str,
    tenant: str = "",
    roles: tuple[str, ...] = (),
) -> Headers:
    """The plain headers that say who calls; one without a value is left out, never the caller's own."""
    user = header_value(external_id)
    named = [("x-user-id", user), *((name.lower(), user) for name in backend.identity_headers)]
    named += [("x-client-id", header_value(client_id)), ("x-scopes", scopes), ("x-tenant-id", header_value(tenant))]
    # A role may have any character; of a comma inside one nobody could say which side it is on
    named.append(("x-roles", ",".join(quote(role, safe=_IN_LIST) for role in roles)))
    return tuple((name, value) for name, value in named if value)


def header_value(text: str) -> str:
    """`text` as a header value: printable ASCII as it is, everything else percent-encoded UTF-8."""
    return text if text.isascii() and text.isprintable() and "%" not in text else quote(text, safe=_PLAIN)
