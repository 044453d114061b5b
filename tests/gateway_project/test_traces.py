"""Traces, as a real collector gets them over HTTP."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway_project.traces import Traces
from proxy.asgi import DataPlane
from proxy.observation.call import Observation
from tests.proxy.asgi_client import call
from tests.proxy.committed import committed, db
from tests.proxy.plane import GatedRecorder, recorder, stored, upstream
from tests.proxy.raw_backend import RawBackend, answer
from tests.proxy.world import JOBS, Stored, bearer
from tests.small_server import answering

__all__ = ["committed", "db", "recorder", "stored", "upstream"]

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = ("traceparent", f"00-{TRACE}-{PARENT}-01")
SERVER, CLIENT, INTERNAL = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL


@dataclass
class Collector:
    """What came in."""

    url: str = ""
    paths: set[str] = field(default_factory=set)
    keys: set[str | None] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)
    raw: bytes = b""

    def take(self, path: str, key: str | None, content: bytes) -> None:
        """One export."""
        self.paths.add(path)
        self.keys.add(key)
        self.raw += content
        for group in ExportTraceServiceRequest.FromString(content).resource_spans:
            self.services |= {a.value.string_value for a in group.resource.attributes if a.key == "service.name"}
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def one(self, kind: int) -> Span:
        """The only span of this kind."""
        (span,) = [span for span in self.spans if span.kind == kind]
        return span


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that listens."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take an export."""
            content = self.rfile.read(int(self.headers["content-length"]))
            found.take(self.path, self.headers["x-key"], content)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    with answering(Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        yield found


@pytest.fixture
async def traces(collector: Collector) -> AsyncIterator[Traces]:
    """Traces that go there."""
    made = Traces(collector.url, headers={"x-key": "k"}, service="gate", ratio=1.0)
    yield made
    await made.stop()


@pytest.fixture
async def plane(db: None, stored: Stored, recorder: GatedRecorder, traces: Traces) -> AsyncIterator[DataPlane]:
    """A running data plane whose calls are traced."""
    del db, stored
    running = DataPlane(recorder=recorder, observation=Observation((traces.ended,), samples=traces.samples))
    await running.start()
    yield running
    await running.stop()


def attributes(span: Span) -> dict[str, Any]:
    """Its attributes as Python has them."""
    return {
        a.key: a.value.int_value if a.value.HasField("int_value") else a.value.string_value for a in span.attributes
    }


async def test_a_call_is_a_span_of_the_callers_trace_and_the_backend_gets_the_next(
    plane: DataPlane, upstream: RawBackend, stored: Stored, traces: Traces, collector: Collector
) -> None:
    before = time.time_ns()
    heard = await call(plane, "GET", f"{JOBS}/jobs/4711?q=secret", bearer(stored.read), CALLER)
    await traces.stop()
    server, client = collector.one(SERVER), collector.one(CLIENT)
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert (server.parent_span_id.hex(), client.parent_span_id) == (PARENT, server.span_id)
    assert upstream.request.header("traceparent") == f"00-{TRACE}-{client.span_id.hex()}-01"
    assert attributes(server) == {
        "gatehouse.request_id": heard.request_id, "gatehouse.decision": "allow", "gatehouse.backend": "jobs",
        "gatehouse.operation": "jobs-0", "http.route": f"{JOBS}/jobs/{{id}}", "http.request.method": "GET",
        "http.response.status_code": 200,
    }  # fmt: skip
    assert (server.name, client.name, attributes(client)["http.response.status_code"]) == ("jobs-0", "GET jobs", 200)
    stages = [span for span in collector.spans if span.kind == INTERNAL]
    assert {"identify", "validate", "route", "record"} <= {span.name for span in stages}
    assert {span.parent_span_id for span in stages} == {server.span_id}
    for span in (client, *stages):
        assert before <= server.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano < span.end_time_unix_nano <= server.end_time_unix_nano <= time.time_ns()
    assert (collector.paths, collector.keys, collector.services) == ({"/v1/traces"}, {"k"}, {"gate"})
    told = [b"4711", b"secret", b"user_2abc", stored.read.encode(), stored.client_id.encode(), b"203.0.113"]
    assert not [each for each in told if each in collector.raw]


async def test_a_refusal_names_its_stage_and_asks_no_backend(
    plane: DataPlane, stored: Stored, traces: Traces, collector: Collector
) -> None:
    await call(plane, "POST", f"{JOBS}/jobs", bearer(stored.read))
    await traces.stop()
    server = collector.one(SERVER)
    assert server.parent_span_id == b""
    assert attributes(server)["gatehouse.decision"] == "deny"
    assert server.status.code == Status.STATUS_CODE_UNSET
    (failed,) = [span for span in collector.spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert (failed.name, attributes(failed)) == ("validate", {"gatehouse.reason": "insufficient_scope"})
    assert not [span for span in collector.spans if span.kind == CLIENT]


async def test_a_backend_that_fails_is_an_error_of_its_span(
    plane: DataPlane, upstream: RawBackend, stored: Stored, traces: Traces, collector: Collector
) -> None:
    upstream.says(answer(status="500 Oh"))
    await call(plane, "GET", f"{JOBS}/jobs/1", bearer(stored.read))
    await traces.stop()
    assert collector.one(CLIENT).status.code == Status.STATUS_CODE_ERROR
    assert collector.one(SERVER).status.code == Status.STATUS_CODE_UNSET


async def test_what_the_caller_does_not_keep_is_not_kept(
    plane: DataPlane, upstream: RawBackend, stored: Stored, traces: Traces, collector: Collector
) -> None:
    unkept = ("traceparent", f"00-{TRACE}-{PARENT}-00")
    await call(plane, "GET", f"{JOBS}/jobs/1", bearer(stored.read), unkept)
    await traces.stop()
    assert upstream.request.header("traceparent").endswith("-00")
    assert collector.spans == []


async def test_a_collector_that_is_down_delays_no_call_and_hardly_the_end(
    db: None, stored: Stored, upstream: RawBackend, recorder: GatedRecorder
) -> None:
    del db, upstream
    traces = Traces("http://127.0.0.1:9", headers={}, service="gate", ratio=1.0)
    plane = DataPlane(recorder=recorder, observation=Observation((traces.ended,), samples=traces.samples))
    await plane.start()
    began = time.monotonic()
    for _ in range(20):
        assert (await call(plane, "GET", f"{JOBS}/jobs/1", bearer(stored.read))).status == 200
    assert time.monotonic() - began < 5
    await plane.stop()
    began = time.monotonic()
    await traces.stop()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("ratio", "kept"), [(0.0, 0), (1.0, 1000), (0.25, 250)])
async def test_a_share_of_new_traces_is_kept(collector: Collector, ratio: float, kept: int) -> None:
    traces = Traces(collector.url, headers={}, service="gate", ratio=ratio)
    await traces.stop()
    evenly = [number << 54 for number in range(1024)]
    assert abs(sum(map(traces.samples, evenly)) - kept * 1.024) < 2
