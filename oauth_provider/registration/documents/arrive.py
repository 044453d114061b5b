"""A client whose id is the address of its document: known, and by a copy that is good enough, or refused."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.core.cache import cache
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client, Origin
from oauth_provider.registration.documents.addresses import check_address, host_of
from oauth_provider.registration.documents.errors import (
    DocumentError,
    InvalidDocumentError,
    UnavailableError,
    UnwelcomeError,
)
from oauth_provider.registration.documents.models import FIRST_PAUSE, LONGEST_PAUSE, MetadataDocument, Source
from oauth_provider.registration.documents.pinned import pinned_copy
from oauth_provider.registration.documents.read_document import Described
from oauth_provider.registration.documents.retrieve import TIMEOUT_S, USUAL, Retrieved, retrieve
from oauth_provider.registration.documents.take_in import Seen, take_in_again, take_in_new
from oauth_provider.registration.policy import NotWelcomeError, check_newcomer, current_policy
from oauth_provider.throttle import RateExceededError, spend

# Longer than any fetch: whoever holds it has crashed
_LOCK_S = 30
_POLL_S = 0.05


def document_of(url: str) -> MetadataDocument | None:
    """What is known of the document at `url`."""
    return MetadataDocument.objects.select_related("client").filter(client__client_id=url).first()


def check_arrival(url: str) -> None:
    """Refuse, without asking anybody, an address that no client of ours could have.

    Raises:
        DocumentError: it is no address of a document, or the policy lets nobody of that name in.
    """
    check_address(url)
    try:
        check_newcomer(origin=Origin.DOCUMENT, client_id=url)
    except NotWelcomeError as refusal:
        words = "The operator of this server does not let this client in."
        raise UnwelcomeError(refusal.reason, words) from refusal
    unused = Client.objects.filter(origin=Origin.DOCUMENT, first_consented_at=None)
    if unused.count() >= current_policy().max_unused:
        raise UnwelcomeError("too_many_registrations", "Too many clients are unused at present. Try again later.")


def bring_up_to_date(*, url: str, request: HttpRequest) -> None:
    """Know the client at `url` by a copy of its document that is good enough; ask its host where that is due.

    One caller asks at a time; the others wait for what it finds, unless the copy they have is good enough until then.
    May take as long as a fetch: call it outside of transactions. A client of staff that has an address as its id has
    no document.

    Raises:
        DocumentError: it cannot be known.
        ThrottledError: too many documents were asked for, from this address or of this host.
    """
    document = document_of(url)
    now = timezone.now()
    if document is None and Client.objects.filter(client_id=url).exists():
        return
    if document is not None and not document.is_due(now):
        _require_usable(document)
        return
    if document is None:
        check_arrival(url)
        _require_no_recent_fault(url)
    with _alone(url, waits=document is None or not document.is_usable(now)) as is_ours:
        if is_ours:
            _renew(url, document, request)
            return
    document = document_of(url)
    if document is None:
        _require_no_recent_fault(url)
        raise UnavailableError("document_asked_for_elsewhere")
    _require_usable(document)


def _renew(url: str, document: MetadataDocument | None, request: HttpRequest) -> None:
    try:
        spend(request, rate="document")
        spend(request, rate="document_host", client_id=host_of(url))
        retrieved = retrieve(url, document)
    except RateExceededError:
        if document is None:
            raise
        _require_usable(document)
    except (InvalidDocumentError, UnavailableError) as fault:
        _fall_back(url, document, fault)
    else:
        _accept(url, document, retrieved)


def _accept(url: str, document: MetadataDocument | None, retrieved: Retrieved) -> None:
    seen = Seen(Source.FETCHED, retrieved.fresh_for, retrieved.etag, retrieved.last_modified)
    if retrieved.described is None and document is not None:
        now = timezone.now()
        MetadataDocument.objects.filter(pk=document.pk).update(
            fetched_at=now, tried_at=now, fresh_until=now + retrieved.fresh_for, failures=0, fault=""
        )
        _record(url, Decision.ALLOW, "not_modified")
        return
    described = retrieved.described
    if described is None:
        raise UnavailableError("document_not_served")
    _take_in(url, document, described, seen)
    pinned = pinned_copy(url)
    drifted = pinned is not None and pinned.digest != described.digest
    _record(url, Decision.ALLOW, "differs_from_pinned" if drifted else "")


def _take_in(url: str, document: MetadataDocument | None, described: Described, seen: Seen) -> None:
    if document is not None:
        take_in_again(document=document, described=described, seen=seen)
        return
    try:
        take_in_new(url=url, described=described, seen=seen)
    except NotWelcomeError as refusal:
        words = "The operator of this server does not let this client in."
        raise UnwelcomeError(refusal.reason, words) from refusal
    except IntegrityError:
        # Another process knew it first
        if document_of(url) is None:
            raise


def _fall_back(url: str, document: MetadataDocument | None, fault: DocumentError) -> None:
    """An older copy, or the one that came with this server, or nothing."""
    invalid = isinstance(fault, InvalidDocumentError)
    _record(url, Decision.DENY if invalid else Decision.ERROR, fault.reason)
    pinned = pinned_copy(url)
    if document is not None:
        document.tried_at, document.fault = timezone.now(), fault.reason[:64]
        document.failures = min(document.failures + 1, 30)
        document.save(update_fields=["tried_at", "fault", "failures"])
        if document.is_usable(timezone.now()):
            return
    if pinned is not None:
        _take_in(url, document, pinned, Seen(Source.PINNED, USUAL))
        _record(url, Decision.ALLOW, "pinned_copy_used")
        return
    if document is None and fault.reason != "too_many_fetches":
        _remember_fault(url, fault)
    raise fault


def _require_usable(document: MetadataDocument) -> None:
    if not document.is_usable(timezone.now()):
        raise UnavailableError(document.fault or "document_too_old")


def _remember_fault(url: str, fault: DocumentError) -> None:
    """In the cache and not as a row: who invents addresses fills no table."""
    earlier = cache.get(_key("fault", url)) or {"failures": 0}
    failures = min(int(earlier["failures"]) + 1, 10)
    pause: timedelta = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
    found = {
        "reason": fault.reason,
        "description": fault.description,
        "unavailable": isinstance(fault, UnavailableError),
        "failures": failures,
        "until": time.time() + pause.total_seconds(),
    }
    cache.set(_key("fault", url), found, timeout=2 * int(LONGEST_PAUSE.total_seconds()))


def _require_no_recent_fault(url: str) -> None:
    found = cache.get(_key("fault", url))
    if isinstance(found, dict) and time.time() < found["until"]:
        if found["unavailable"]:
            raise UnavailableError(found["reason"])
        raise InvalidDocumentError(found["reason"], found["description"])


@contextmanager
def _alone(url: str, *, waits: bool) -> Iterator[bool]:
    """True for the one caller who asks now; the others get False, those who wait when it has finished.

    The lock is in the cache, which all workers share, and not in the database: it is held while a stranger answers.
    """
    name = _key("lock", url)
    if cache.add(name, 1, timeout=_LOCK_S):
        try:
            yield True
        finally:
            cache.delete(name)
        return
    waited_until = time.monotonic() + 2 * TIMEOUT_S
    while waits and cache.get(name) is not None and time.monotonic() < waited_until:
        time.sleep(_POLL_S)
    yield False


def _key(what: str, url: str) -> str:
    return f"document:{what}:{hashlib.sha256(url.encode()).hexdigest()}"


def _record(url: str, decision: Decision, reason: str) -> None:
    known = Client.objects.filter(client_id=url).exists()
    record(
        kind=Kind.OAUTH_DOCUMENT_FETCHED,
        decision=decision,
        reason=reason,
        client_id=url if known else "",
        target=f"host:{host_of(url)}"[:200],
    )
