"""What is counted of calls: operations of the catalogue, never anything that a caller can choose."""

from typing import Any

import pytest

from audit.ledger.events import Draft
from audit.ledger.kinds import Decision, Kind
from proxy.observation.call import CONSTRAIN, STAGES, Ended
from proxy.observation.counts import BUCKETS, Counts
from proxy.observation.trace import trace_of


def ended(marks: list[float], *, refused_in: int | None = None, **facts: Any) -> Ended:
    """A call that began at 10.0."""
    draft = Draft(kind=Kind.PROXY_CALL_DECIDED, request_id="r", address="", **facts)
    return Ended(draft, 10.0, marks, refused_in, lambda: trace_of([]))


def test_a_call_counts_once_with_the_time_of_each_stage() -> None:
    counts = Counts()
    marks = [10.001, 10.002, 10.003, 10.004, 10.005, 10.005, 10.2, 10.3, 10.35]
    counts.ended(ended(marks, backend="jobs", operation="search", status=200, upstream_latency_us=190_000, retries=1))
    assert counts.counters == {
        ("requests", "jobs", "search", "allow", "200"): 1,
        ("retries", "jobs"): 1,
        ("limiter", "allowed"): 1,
    }
    stages = {key[1]: parts for key, parts in counts.histograms.items() if key[0] == "stage_seconds"}
    # A stage that was left out took no time, and is none
    assert {stage for stage, parts in stages.items() if any(parts)} == set(STAGES) - {"intent"}
    assert stages["route"][0] == pytest.approx(0.195)
    assert stages["route"][1:] == [float(end == 0.25) for end in (*BUCKETS, float("inf"))]
    assert counts.histograms["upstream_seconds", "jobs"][0] == pytest.approx(0.19)
    assert counts.histograms["request_seconds", "jobs"][0] == pytest.approx(0.35)


@pytest.mark.parametrize("reason", ["rate_limited", "overloaded"])
def test_who_was_told_to_wait_was_not_allowed(reason: str) -> None:
    counts = Counts()
    facts = {"decision": Decision.DENY, "reason": reason, "status": 429}
    counts.ended(ended([10.1] * (CONSTRAIN + 2), refused_in=CONSTRAIN, **facts))
    counts.refused(status=503, reason="overloaded")
    assert counts.counters["limiter", reason] >= 1
    assert ("limiter", "allowed") not in counts.counters
    assert counts.counters["requests", "", "", "error", "503"] == 1


def test_beyond_so_many_operations_there_is_one_for_all() -> None:
    counts = Counts(operations_max=2)
    for number in range(5):
        counts.ended(ended([], backend="jobs", operation=f"op-{number}", status=200))
    assert counts.counters == {
        ("requests", "jobs", "op-0", "allow", "200"): 1,
        ("requests", "jobs", "op-1", "allow", "200"): 1,
        ("requests", "other", "other", "allow", "200"): 3,
        ("limiter", "allowed"): 5,
    }


def test_a_backend_cannot_invent_series_with_its_statuses() -> None:
    counts = Counts()
    for status in (999, 600, 99, None):
        counts.ended(ended([], status=status))
    assert {key[4] for key in counts.counters} == {"other", "none"}
