"""Client ids that are addresses of documents (draft section 3), written so that all parsers read them alike."""

import re
from urllib.parse import urlsplit

from oauth_provider.outbound.addresses import is_plain_host
from oauth_provider.outbound.fetch import AddressRefusedError, check_url
from oauth_provider.registration.documents.errors import BadAddressError

SCHEME = "https://"
# Shorter than the column, so that events can name it
MAX_LENGTH = 240
_ADDRESS = re.compile(r"https://[^/?#@\\\s]+(?P<path>/[!-~]*)")
# Dots and separators that only look like something else until they are decoded
_ENCODED = re.compile(r"%(?:2e|2f|5c|00|25)", re.IGNORECASE)


def looks_like_address(client_id: str) -> bool:
    """Whether a client id claims to be the address of a document."""
    return client_id.startswith(SCHEME)


def host_of(url: str) -> str:
    """The host of an address that was checked."""
    return urlsplit(url).hostname or ""


def check_address(url: str) -> None:
    """Https with a name and a path; no query, fragment, user name, dot segment or encoded separator.

    Raises:
        BadAddressError: otherwise. Nothing is resolved.
    """
    match = _ADDRESS.fullmatch(url)
    if len(url) > MAX_LENGTH or match is None:
        raise BadAddressError("document_address", "client_id must be an https URL with a path and no user name.")
    path = match["path"]
    if "?" in path or "#" in path:
        raise BadAddressError("document_address", "client_id must have neither a query nor a fragment.")
    segments = path.split("/")[1:]
    if not any(segments) or "." in segments or ".." in segments or _ENCODED.search(path) or "\\" in path:
        raise BadAddressError("document_address", "client_id must have a path without dot segments.")
    _check_host(url)


def _check_host(url: str) -> None:
    try:
        check_url(url)
        host = urlsplit(url).netloc.partition(":")[0]
    except (AddressRefusedError, ValueError) as error:
        raise BadAddressError("document_address", "client_id must name a public host.") from error
    # A literal proves no domain, and a name without a dot is somebody's own network
    if not is_plain_host(host) or "." not in host or host.replace(".", "").isdigit() or host != host.lower():
        raise BadAddressError("document_address", "client_id must name a host in lower case by its domain.")
