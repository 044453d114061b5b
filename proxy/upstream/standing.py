"""How a backend stands with this process: what the admin shows beside the last probe."""

from dataclasses import dataclass

from proxy.upstream.breaker import BreakerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`breaker` is None before the first call; `usual_ms` about what half of its answers take, 0 when not known.

    `token_fault` and `token_error` say why the gateway could not fetch its own token.
    """

    breaker: BreakerState | None = None
    usual_ms: float = 0.0
    token_fault: str = ""
    token_error: str = ""
