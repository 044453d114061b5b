"""Catalogues without a database: the data plane's own frozen types, with everything a test does not care about."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from audit.ledger.events import UserRef
from proxy.catalogue.addresses import parse_upstream_url
from proxy.catalogue.matching import Matcher
from proxy.catalogue.paths import canonical, compile_prefix, compile_template
from proxy.catalogue.plans import METADATA_PATH, BackendPlan, OperationPlan
from proxy.catalogue.snapshot import Snapshot
from proxy.pipeline.call import Identified, Located, Principal, RawHeaders, Received, Transformed

PREFIX = "/api/v1/jobs"
ANA = Principal(
    kind="user",
    user=UserRef(user_id=7, external_id="user_2abc"),
    client_id="client-1",
    scopes=frozenset({"jobs:read"}),
    resources=(f"{settings.PUBLIC_BASE_URL}{PREFIX}",),
    connection="c0ffee",
    fingerprint="0123456789abcdef",
)
NOBODY = Principal(kind="anonymous")


def operation_plan(**changes: Any) -> OperationPlan:
    """An operation at `/jobs` that needs `jobs:read`."""
    scopes = tuple(changes.pop("scopes", ("jobs:read",)))
    plan = OperationPlan(
        operation_id="search-jobs",
        template=f"{PREFIX}/jobs",
        auth_mode="oauth",
        scopes=scopes,
        scope_set=frozenset(scopes),
        max_request_bytes=1_048_576,
    )
    return replace(plan, **changes)


def backend_plan(
    upstream_url: str = "http://127.0.0.1:9/careers",
    *,
    operations: tuple[tuple[str, str, OperationPlan], ...] = (),
    **changes: Any,
) -> BackendPlan:
    """A backend at `/api/v1/jobs`; `operations` as (method, path, plan), by default one GET of everything."""
    prefix = changes.pop("prefix", PREFIX)
    entries = operations or (("GET", "/**", operation_plan()),)
    plan = BackendPlan(
        name="jobs",
        title="jobs",
        prefix=prefix,
        upstream_url=upstream_url,
        base=parse_upstream_url(upstream_url, own_origin=settings.PUBLIC_BASE_URL),
        auth_mode="oauth",
        allow_private=True,
        timeout_s=5.0,
        connect_timeout_s=1.0,
        max_request_bytes=1_048_576,
        max_concurrency=8,
        identity_headers=(),
        credential=None,
        resource=f"{settings.PUBLIC_BASE_URL}{prefix}",
        resource_metadata=f"{settings.PUBLIC_BASE_URL}{METADATA_PATH}{prefix}",
        scopes=("jobs:read",),
        modes=frozenset({"oauth"}),
        matcher=Matcher((method, compile_template(path), plan) for method, path, plan in entries),
    )
    return replace(plan, **changes)


def snapshot(*backends: BackendPlan, **changes: Any) -> Snapshot:
    """A catalogue of these backends."""
    by_prefix = {compile_prefix(backend.prefix): backend for backend in backends}
    made = Snapshot(
        revision=1,
        backends={backend.name: backend for backend in backends},
        by_prefix=by_prefix,
        prefix_lengths=tuple(sorted({len(prefix) for prefix in by_prefix}, reverse=True)),
        enabled_scopes=frozenset({"jobs:read", "jobs:write"}),
        signing_keys=(),
    )
    return replace(made, **changes)


@dataclass
class GivenBody:
    """A request body that a test wrote out."""

    content: bytes | AsyncIterator[bytes] | None = None
    length: int | None = None
    received: int = 0

    async def open(self, *, limit: int, until: float) -> bytes | AsyncIterator[bytes] | None:
        """The body."""
        del limit, until
        return self.content


def received(method: str = "GET", path: str = f"{PREFIX}/jobs", *headers: tuple[str, str], **changes: Any) -> Received:
    """A request as the entry point reads it."""
    raw: RawHeaders = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    made = Received(
        method=method,
        path=path.encode(),
        query=b"",
        headers=raw,
        body=GivenBody(),
        request_id="01890a5d-ac96-774b-bcce-b302099a8057",
        address="203.0.113.9",
        started=0.0,
    )
    return replace(made, **changes)


def located(request: Received, *backends: BackendPlan, **changes: Any) -> Located:
    """Where `request` leads in a catalogue of `backends`."""
    catalogue = snapshot(*backends, **changes)
    path = canonical(request.path)
    return Located(received=request, snapshot=catalogue, path=path, match=catalogue.match(request.method, path))


def identified(request: Received, backend: BackendPlan, principal: Principal = ANA, **changes: Any) -> Identified:
    """The same with its caller known."""
    return Identified(located=located(request, backend, **changes), backend=backend, principal=principal)


def transformed(request: Received, backend: BackendPlan, principal: Principal = ANA, **changes: Any) -> Transformed:
    """The same with no headers that cross."""
    return Transformed(identified=identified(request, backend, principal, **changes), headers=())
