"""Transport: the one seam where calls leave the process; tests put another one in its place."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from proxy.catalogue.plans import BackendPlan

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request ready to be sent: `target` is path and query as bytes on the wire, `headers` in lower case.

    `deadline` is the time of the event loop by which the head of the answer must be here, `first_byte_s` the time it
    may take once everything is sent. `may_repeat`: sending it twice does no harm, and its body is at hand.
    `needs_token`: the backend is shown a token that the gateway fetches for itself.
    """

    method: str
    target: str
    headers: Headers
    body: bytes | AsyncIterator[bytes] | None
    deadline: float
    first_byte_s: float = float("inf")
    may_repeat: bool = False
    needs_token: bool = False


class BodyWatch(Protocol):
    """Hears what becomes of the body of an answer whose head was good."""

    def ended(self) -> None:
        """All of it came."""
        ...

    def broke(self, reason: str) -> None:
        """By the backend's fault it did not; `reason` is that of a refusal."""
        ...


class UpstreamResponse(Protocol):
    """A backend's answer, its body not read yet; `retries` is how often the request was sent again before."""

    status: int
    headers: Headers
    retries: int

    @property
    def is_ready(self) -> bool:
        """Whether `read` returns at once."""
        ...

    def watch(self, watch: BodyWatch) -> None:
        """Let `watch` hear what becomes of the body; nothing when the caller leaves, or reads too slowly to tell."""
        ...

    def stalled(self) -> None:
        """Whoever reads has waited for the backend in vain until the end of the call."""
        ...

    async def read(self) -> bytes:
        """The next bytes of the body, b"" at its end.

        Raises:
            BackendNonsense: the body ended early or cannot be read.
        """
        ...

    async def aclose(self) -> None:
        """Let the connection go; with bytes left on it, it is not used again."""
        ...


class Transport(Protocol):
    """Sends one request to one backend. Redirects are answers, cookies are headers, bodies are left encoded."""

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, as soon as its head is there.

        Raises:
            BackendFault: it cannot be reached, may not be called, or does not speak HTTP.
            DeadlinePassed: no answer by the deadline, or no connection within the backend's connect timeout.
            RequestTimeout: the deadline passed while the caller's body was awaited.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
