"""Ask for one document: within limits of size, time and number, and only for what changed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore

import httpx

from oauth_provider.outbound.fetch import FetchError, fetch
from oauth_provider.registration.documents.errors import InvalidDocumentError, UnavailableError
from oauth_provider.registration.documents.models import MetadataDocument
from oauth_provider.registration.documents.read_document import MAX_BYTES, Described, read_document

TIMEOUT_S = 4.0
# How long an answer counts, whatever its host says about it
LEAST, USUAL, MOST = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
# Fetches of one process at a time: a caller waits for nobody else's slow host
AT_ONCE = BoundedSemaphore(8)
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a host said: a description, or None when the one we have is still its own."""

    described: Described | None
    etag: str
    last_modified: str
    fresh_for: timedelta


def retrieve(url: str, known: MetadataDocument | None) -> Retrieved:
    """The document at `url`, whose copy `known` is, if there is one.

    Raises:
        UnavailableError: no answer, or none that is a document.
        InvalidDocumentError: see `read_document`.
    """
    with _place():
        try:
            answer = fetch(url=url, max_bytes=MAX_BYTES, timeout_s=TIMEOUT_S, headers=_conditions(known))
        except FetchError as error:
            raise UnavailableError(error.reason) from error
    if answer.status == 304 and known is not None and (known.etag or known.last_modified):
        return Retrieved(None, known.etag, known.last_modified, fresh_for(answer.headers))
    if answer.status != 200:
        raise UnavailableError("document_redirects" if 300 <= answer.status < 400 else "document_not_served")
    if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
        raise InvalidDocumentError("document_media_type", "The document must be served as application/json.")
    return Retrieved(
        described=read_document(url, answer.body),
        etag=_validator(answer.headers.get("etag", ""), longest=255),
        last_modified=_validator(answer.headers.get("last-modified", ""), longest=64),
        fresh_for=fresh_for(answer.headers),
    )


def fresh_for(headers: httpx.Headers) -> timedelta:
    """How long an answer counts, by Cache-Control (RFC 9111 section 5.2.2) and within our bounds."""
    directives = headers.get("cache-control", "")
    if _NO_STORE.search(directives):
        return LEAST
    match = _MAX_AGE.search(directives)
    return min(max(timedelta(seconds=int(match[1])), LEAST), MOST) if match else USUAL


@contextmanager
def _place() -> Iterator[None]:
    if not AT_ONCE.acquire(blocking=False):
        raise UnavailableError("too_many_fetches")
    try:
        yield
    finally:
        AT_ONCE.release()


def _conditions(known: MetadataDocument | None) -> dict[str, str]:
    if known is None:
        return {}
    named = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    return {name: value for name, value in named.items() if value}


def _validator(text: str, *, longest: int) -> str:
    # It goes back as a header one day
    return text if len(text) <= longest and text.isascii() and text.isprintable() else ""
