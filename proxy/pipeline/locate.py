"""Before the stages: one reading of the path, and where it leads."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from proxy.catalogue.matching import Found
from proxy.catalogue.paths import AmbiguousPath, canonical
from proxy.catalogue.plans import OperationPlan
from proxy.catalogue.snapshot import Match, Snapshot
from proxy.pipeline.call import Located, Named, Received
from proxy.refusals import BadRequest, LoopDetected, UnreadablePath

# Wider than RFC 3986 section 3.4, because clients send | and {} as they are; what no request target can carry is out
_QUERY = re.compile(rb"\A[!-\"$-~]*\Z")


def locate(received: Received, snapshot: Snapshot) -> Located:
    """Canonicalise the path and look it up; whether the caller may know the result is for later.

    Raises:
        UnreadablePath: the path has more than one reading.
        BadRequest: the query has bytes outside printable ASCII, or a fragment.
        BadRequest: it names an operation and leads to another.
        LoopDetected: the request passed through this gateway before.
    """
    try:
        path = canonical(received.path)
    except AmbiguousPath as fault:
        raise UnreadablePath(f"The path can be read in more than one way: {fault}.") from None
    if not _QUERY.match(received.query):
        raise BadRequest("The query has a character that must be percent-encoded.", reason="query_character")
    vias = [value for name, value in received.headers if name == b"via"]
    if vias and via_pseudonym().encode() in b", ".join(vias):
        raise LoopDetected
    named = received.named
    match = _of(named, snapshot) if named and named.backend else snapshot.match(received.method, path)
    if named and not _leads_to(match, named.operation):
        raise BadRequest("The arguments lead to another operation.", reason="arguments_lead_elsewhere")
    return Located(received=received, snapshot=snapshot, path=path, match=match)


def _of(named: Named, snapshot: Snapshot) -> Match:
    """The operation that is named, at its backend's own URL as staff wrote it, a slash at its end included."""
    backend = snapshot.backends.get(named.backend)
    if backend is None:
        return Match(None, Found(named.operation))
    rest = urlsplit(backend.upstream_url).path.removeprefix(backend.base.path)
    return Match(backend, Found(named.operation), rest)


def _leads_to(match: Match, named: OperationPlan) -> bool:
    # By its name: the catalogue may have been compiled anew since
    found = match.result.operation if isinstance(match.result, Found) else None
    return found is not None and (found.template, found.operation_id) == (named.template, named.operation_id)


@lru_cache(maxsize=1)
def via_pseudonym() -> str:
    """How this gateway names itself in Via (RFC 9110 section 7.6.3); another Gatehouse has another name."""
    return f"gatehouse-{hashlib.sha256(settings.PUBLIC_BASE_URL.encode()).hexdigest()[:12]}"
