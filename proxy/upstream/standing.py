"""How a backend stands with this process: what the admin shows beside the last probe."""

from dataclasses import dataclass

from proxy.upstream.breaker import BreakerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`breaker` is None before the first call; `usual_ms` about what half of its answers take, 0 when not known.

    `in_use` are connections that carry a call, `kept` those that wait for the next one. `token_fault` and `token_error`
    say why the gateway could not fetch its own token.
    """

    breaker: BreakerState | None = None
    usual_ms: float = 0.0
    in_use: int = 0
    kept: int = 0
    token_fault: str = ""
    token_error: str = ""
