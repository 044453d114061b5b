"""Every metric by name, and how the numbers of one process, or of several, become what Prometheus reads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from proxy.observation.counts import BUCKETS, Key

BATCHES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


@dataclass(frozen=True, slots=True)
class About:
    """One metric: its name without the ending of counters, what it means, its labels, the upper ends of buckets."""

    name: str
    words: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = BUCKETS


COUNTERS: Final[Mapping[str, About]] = {
    "requests": About("gatehouse_requests", "Calls of the data plane that are over.",
                      ("backend", "operation", "decision", "status")),
    "retries": About("gatehouse_upstream_retries", "Calls that were sent to their backend once more.", ("backend",)),
    "limiter": About("gatehouse_limiter_decisions", "What rates and concurrency said of allowed calls.", ("decision",)),
    "oauth": About("gatehouse_oauth_requests", "Requests at the authorization server's endpoints.",
                   ("endpoint", "outcome")),
    "audit_written": About("gatehouse_audit_events_written", "Events that are durable."),
    "audit_refused": About("gatehouse_audit_events_refused", "Events not written, whose callers were told."),
    "audit_lost": About("gatehouse_audit_events_lost", "Events not written that nobody waited for: must stay 0."),
}  # fmt: skip
HISTOGRAMS: Final[Mapping[str, About]] = {
    "request_seconds": About("gatehouse_request_duration_seconds", "A call, from its head to its last event.",
                             ("backend",)),
    "stage_seconds": About("gatehouse_stage_duration_seconds", "One stage of a call.", ("stage",)),
    "upstream_seconds": About("gatehouse_upstream_duration_seconds", "From sending to the head of the answer.",
                              ("backend",)),
    "audit_batch": About("gatehouse_audit_batch_events", "Events in one transaction of the recorder.", (), BATCHES),
}  # fmt: skip
GAUGES: Final[Mapping[str, About]] = {
    "workers": About("gatehouse_workers", "Processes whose numbers these are."),
    "in_flight": About("gatehouse_requests_in_flight", "Requests under way."),
    "breaker_open": About("gatehouse_breaker_open", "Processes that leave the backend alone for now.", ("backend",)),
    "backend_unreachable": About("gatehouse_backend_unreachable", "Processes that know of a failed last check.",
                                 ("backend",)),
    "connections": About("gatehouse_upstream_connections", "Connections to backends.", ("backend", "state")),
    "audit_queue": About("gatehouse_audit_queue_events", "Events that wait for the recorder."),
    "audit_unhealthy": About("gatehouse_audit_unhealthy", "Processes that cannot write events: must stay 0."),
}  # fmt: skip


@dataclass(slots=True)
class Numbers:
    """All of them, of one process or added up; `pids` are the processes that still run."""

    counters: dict[Key, float] = field(default_factory=dict)
    histograms: dict[Key, list[float]] = field(default_factory=dict)
    gauges: dict[Key, float] = field(default_factory=dict)
    pids: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return {
            "counters": [[key, value] for key, value in self.counters.items()],
            "histograms": [[key, value] for key, value in self.histograms.items()],
            "gauges": [[key, value] for key, value in self.gauges.items()],
            "pids": self.pids,
        }


def from_json(document: Mapping[str, Any]) -> Numbers:
    """What another process wrote."""
    counters, histograms, gauges = (
        {tuple(key): value for key, value in document[name]} for name in ("counters", "histograms", "gauges")
    )
    return Numbers(counters, histograms, gauges, tuple(document["pids"]))


def added_up(all_numbers: Iterable[Numbers]) -> Numbers:
    """One for all."""
    total = Numbers()
    for numbers in all_numbers:
        for ours, theirs in ((total.counters, numbers.counters), (total.gauges, numbers.gauges)):
            for key, value in theirs.items():
                ours[key] = ours.get(key, 0) + value
        for key, parts in numbers.histograms.items():
            known = total.histograms.get(key)
            total.histograms[key] = [a + b for a, b in zip(known, parts, strict=True)] if known else list(parts)
        total.pids += numbers.pids
    return total


class Measured(Collector):
    """What one scrape reads."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        """Every metric, those without a number too: an alert on what is not there says nothing."""
        numbers = self._numbers
        for key, about in COUNTERS.items():
            counter = CounterMetricFamily(about.name, about.words, labels=about.labels)
            for labels, value in _of(key, about, numbers.counters):
                counter.add_metric(labels, value)
            yield counter
        for key, about in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(about.name, about.words, labels=about.labels)
            for labels, (total, *parts) in ((found[1:], each) for found, each in _named(key, numbers.histograms)):
                histogram.add_metric(labels, _buckets(about.buckets, parts), total)
            yield histogram
        for key, about in GAUGES.items():
            gauge = GaugeMetricFamily(about.name, about.words, labels=about.labels)
            for labels, value in _of(key, about, numbers.gauges):
                gauge.add_metric(labels, value)
            yield gauge
        yield from _processes(numbers.pids)


def _named(key: str, found: Mapping[Key, Any]) -> list[tuple[Key, Any]]:
    return sorted((each, value) for each, value in found.items() if each[0] == key)


def _of(key: str, about: About, found: Mapping[Key, float]) -> list[tuple[Sequence[str], float]]:
    rows: list[tuple[Sequence[str], float]] = [(each[1:], value) for each, value in _named(key, found)]
    return rows or ([] if about.labels else [((), 0.0)])


def _buckets(ends: Sequence[float], parts: Sequence[float]) -> list[tuple[str, float]]:
    names = [*map(floatToGoString, ends), "+Inf"]
    return list(zip(names, accumulate(parts), strict=True))


def _processes(pids: Sequence[int]) -> Iterator[Metric]:
    """What the library knows of each process, one label apart; numbered, since process ids come and go."""
    families: dict[str, Metric] = {}
    for number, pid in enumerate(sorted(pids)):
        for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            family = families.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                family.add_sample(sample.name, {**sample.labels, "worker": str(number)}, sample.value)
    yield from families.values()
