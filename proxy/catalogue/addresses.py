"""Where a backend is: its base URL, parsed once, strictly, by the form and by the snapshot alike; and its prefix."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from oauth_provider.outbound.addresses import is_plain_host
from proxy.catalogue.paths import AmbiguousPath, BadTemplate, canonical, compile_prefix

DEFAULT_PORTS = {"http": 80, "https": 443}
# RFC 3986 section 3.2, narrowed: what stands after the host is a port or nothing, or parsers disagree on the host
_URL = re.compile(r"\A[a-z]+://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{0,4})?(?:/[^?#\\\s]*)?\Z")


class BadUpstreamUrl(ValueError):
    """The URL of a backend cannot be used; the message is for the person who typed it."""


@dataclass(frozen=True, slots=True)
class UpstreamBase:
    """A backend's base URL in parts. `authority` keeps the port as written; `path` has no trailing slash."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str


def parse_upstream_url(url: str, *, own_origin: str) -> UpstreamBase:
    """The parts of `url`, an absolute http or https URL without query.

    Raises:
        BadUpstreamUrl: another scheme, user name, fragment, query, backslash, dot segments, a host that parsers read
            differently, a link-local address, or the address of this gateway.
    """
    if not _URL.match(url):
        raise BadUpstreamUrl(
            _("Use an absolute URL such as https://jobs.internal:8443/api, without user name, ? or #.")
        )
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise BadUpstreamUrl(_("The host or the port cannot be read.")) from None
    if parts.scheme not in DEFAULT_PORTS:
        raise BadUpstreamUrl(_("Only http and https are spoken."))
    host = parts.hostname or ""
    _check_host(host)
    try:
        if parts.path:
            canonical(parts.path.encode())
    except (AmbiguousPath, UnicodeEncodeError):
        raise BadUpstreamUrl(_("The path has dot segments, empty segments or encoded separators.")) from None
    if leads_to(own_origin, host=host, port=port):
        raise BadUpstreamUrl(_("This address is the gateway itself."))
    return UpstreamBase(
        scheme=parts.scheme, host=host, port=port, authority=parts.netloc.lower(), path=parts.path.removesuffix("/")
    )


def leads_to(origin: str, *, host: str, port: int) -> bool:
    """Whether `host` and `port` are those of `origin`; every name of the loopback is the same host."""
    own = urlsplit(origin)
    own_port = own.port or DEFAULT_PORTS.get(own.scheme, 0)
    return own_port == port and _plain(own.hostname or "") == _plain(host)


def _plain(host: str) -> str:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return "loopback"
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    mapped = getattr(address, "ipv4_mapped", None) or address
    return "loopback" if mapped.is_loopback or mapped.is_unspecified else str(mapped)


def _check_host(host: str) -> None:
    if not is_plain_host(host):
        raise BadUpstreamUrl(_("The host must be a name or a complete IP address."))
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified:
        raise BadUpstreamUrl(_("Link-local, multicast and metadata addresses are never called."))


def prefix_faults(prefix: str, *, taken: Iterable[str]) -> dict[str, list[str]]:
    """What is wrong with a prefix, by field; whatever is below one of `taken` never comes to a backend."""
    try:
        compile_prefix(prefix)
    except BadTemplate as fault:
        return {"prefix": [gettext(str(fault))]}
    if f"{prefix}/".startswith(tuple(f"{each}/" for each in taken)):
        return {"prefix": [gettext("The authorization server answers at this address: choose another one.")]}
    return {}
