"""What a call is after each stage. Every stage takes the type the one before it returns, so none can be left out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from audit.ledger.events import UserRef
from proxy.catalogue.paths import CanonicalPath
from proxy.catalogue.plans import BackendPlan, OperationPlan
from proxy.catalogue.snapshot import Match, Snapshot
from proxy.upstream.transport import Transport

RawHeaders = tuple[tuple[bytes, bytes], ...]
Headers = tuple[tuple[str, str], ...]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@lru_cache(maxsize=4096)
def in_words(scopes: frozenset[str]) -> str:
    """Scopes as OAuth writes them (RFC 6749 section 3.3), in the order of their names."""
    return " ".join(sorted(scopes))


class ClientGone(Exception):
    """The client closed the connection before the call was over."""


class Body(Protocol):
    """The request body, not read before a stage asks for it. `length` as announced, `received` so far, in bytes."""

    length: int | None
    received: int

    async def open(self, *, limit: int, until: float) -> bytes | AsyncIterator[bytes] | None:
        """The body: whole when it is small, else in chunks; None without one. `until` is a time of the event loop.

        Raises:
            TooLarge: it has more than `limit` bytes; in chunks, while they are read.
            RequestTimeout: it arrives too slowly, or not until then.
            ClientGone: the client left.
        """
        ...


class ProtectedResource(Protocol):
    """What a token must be good for, and how whoever has none is told (RFC 9728)."""

    @property
    def resource(self) -> str:
        """Its identifier: an audience."""
        ...

    def challenge(self, scopes: tuple[str, ...], error: str = "") -> str:
        """The value of WWW-Authenticate."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """A call that names its operation instead of a path. `resource` is what was called in the backend's place.

    Without `backend`, the path made of the call must lead to that operation and no other. With it there is no path to
    read: the call is for that backend's own URL, and `router` takes Route's place. One that `only_listens` is no work
    for the backend, and takes none of the places for calls.
    """

    operation: OperationPlan
    resource: ProtectedResource
    backend: str = ""
    router: "Router | None" = None
    only_listens: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the entry point read it. `path` and `query` are the bytes of the target.

    `started` is a time of the running event loop, in seconds.
    """

    method: str
    path: bytes
    query: bytes
    headers: RawHeaders
    body: Body
    request_id: str
    address: str
    started: float
    named: Named | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """A request with one reading of its path and the place that path leads to."""

    received: Received
    snapshot: Snapshot
    path: CanonicalPath
    match: Match


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `kind`: user, service, api_key, passthrough or anonymous; `fingerprint` identifies the token.

    `tenant` and `roles` are what an external issuer says of the user.
    """

    kind: str
    user: UserRef | None = None
    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()
    connection: str = ""
    fingerprint: str = ""
    expires_at: float = 0.0
    tenant: str = ""
    roles: tuple[str, ...] = ()

    @property
    def limit_key(self) -> str:
        """Whose allowance a call uses up; "" when only the address is known."""
        if self.user is not None:
            return f"user:{self.user.user_id}"
        return f"client:{self.client_id}" if self.client_id else ""


@dataclass(frozen=True, slots=True)
class Identified:
    """A located call of a known principal, at a backend that exists."""

    located: Located
    backend: BackendPlan
    principal: Principal


@dataclass(frozen=True, slots=True)
class Transformed:
    """An identified call with the headers that may go inward, in lower case."""

    identified: Identified
    headers: Headers


@dataclass(frozen=True, slots=True)
class Validated:
    """A call that is allowed: the operation exists and the principal may use it."""

    transformed: Transformed
    operation: OperationPlan

    @property
    def identified(self) -> Identified:
        """What Identify found."""
        return self.transformed.identified

    @property
    def received(self) -> Received:
        """The request itself."""
        return self.transformed.identified.located.received


@dataclass(frozen=True, slots=True)
class Constrained:
    """An allowed call within its limits. `limit_headers` tell the caller what is left."""

    validated: Validated
    limit_headers: Headers


class BodyStream(Protocol):
    """An answer's body as the backend sends it."""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end.

        Raises:
            BackendNonsense: the body ended early or cannot be read.
            DeadlinePassed: the backend did not finish in time.
        """
        ...

    async def aclose(self) -> None:
        """Let the connection go, whatever is left on it."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A backend's answer with the headers that may go outward. `length` is that of the body, None when unknown.

    `upstream_s` is the time from sending to the head of the answer, in seconds; `retries` how often it was sent again.
    `is_repeat`: an earlier call with the same Idempotency-Key got it. `is_stream`: of events, without a deadline.
    """

    status: int
    headers: Headers
    length: int | None
    stream: BodyStream
    upstream_s: float
    retries: int = 0
    is_repeat: bool = False
    is_stream: bool = False


# What sends a call to its backend and brings the answer back
Router = Callable[[Constrained, Transport], Awaitable[Answer]]
