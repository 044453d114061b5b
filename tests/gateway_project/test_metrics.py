"""`/metrics`: who may read it, what stands there, and that one worker answers for all."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from gateway_project.load import Load
from gateway_project.measured import COUNTERS, GAUGES, HISTOGRAMS, Numbers
from gateway_project.metrics import Metrics, OwnNumbers, counting
from gateway_project.worker_numbers import WorkerNumbers
from proxy.asgi import DataPlane
from proxy.entrypoints.asgi_types import Message
from proxy.observation.call import Observation
from proxy.observation.counts import Counts
from tests.proxy.asgi_client import HOST, Exchange, call
from tests.proxy.committed import committed, db
from tests.proxy.plane import GatedRecorder, recorder, stored, upstream
from tests.proxy.raw_backend import RawBackend
from tests.proxy.world import JOBS, Stored, bearer

__all__ = ["committed", "db", "recorder", "stored", "upstream"]

TOKEN = "m" * 16
LOOPBACK = ("127.0.0.1", 40000)
LONG_AGO = 4_000_000


@pytest.fixture
def counts() -> Counts:
    """The numbers of this process."""
    return Counts()


@pytest.fixture
async def plane(db: None, stored: Stored, recorder: GatedRecorder, counts: Counts) -> AsyncIterator[DataPlane]:
    """A running data plane that is counted."""
    del db, stored
    running = DataPlane(recorder=recorder, observation=Observation((counts.ended,)))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def own(counts: Counts, plane: DataPlane, recorder: GatedRecorder) -> OwnNumbers:
    """What a worker knows of itself."""
    return OwnNumbers(counts, plane=plane, recorder=recorder, load=Load())


async def scrape(metrics: Metrics, *headers: tuple[str, str], **changes: object) -> Exchange:
    """Ask from this machine, unless told otherwise."""
    return await call(metrics, "GET", "/metrics", *headers, **{"client": LOOPBACK, **changes})


def samples(heard: Exchange) -> list[Sample]:
    """Every number of a scrape."""
    families = text_string_to_metric_families(heard.body.decode())
    return [sample for family in families for sample in family.samples]


def value(heard: Exchange, name: str, labels: Mapping[str, str] | None = None) -> float:
    """The one number with this name and these labels."""
    (found,) = [s.value for s in samples(heard) if s.name == name and s.labels == (labels or {})]
    return found


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        (LOOPBACK, [HOST], 200),
        (LOOPBACK, [("host", "localhost:8000")], 200),
        (("::1", 40000), [("host", "[::1]:8000")], 200),
        (LOOPBACK, [("host", "gateway.example.com")], 404),
        (LOOPBACK, [HOST, ("x-forwarded-for", "203.0.113.9")], 404),
        (LOOPBACK, [HOST, ("x-forwarded-proto", "https")], 404),
        (LOOPBACK, [HOST, ("forwarded", "for=203.0.113.9")], 404),
        (LOOPBACK, [HOST, ("x-real-ip", "127.0.0.1")], 404),
        (LOOPBACK, [HOST, ("via", "1.1 proxy")], 404),
        (("203.0.113.9", 40000), [HOST], 404),
        (None, [HOST], 404),
        (("203.0.113.9", 40000), [HOST, bearer(TOKEN)], 200),
        (LOOPBACK, [HOST, bearer(TOKEN), ("x-forwarded-for", "203.0.113.9")], 200),
        (("203.0.113.9", 40000), [HOST, bearer(TOKEN[:-1])], 404),
        (("203.0.113.9", 40000), [HOST, bearer(TOKEN + "\u00e9")], 404),
        (("203.0.113.9", 40000), [HOST, ("authorization", f"Basic {TOKEN}")], 404),
    ],
)
async def test_this_machine_reads_and_whoever_has_the_token(
    own: OwnNumbers, tmp_path: Path, client: tuple[str, int] | None, headers: list[tuple[str, str]], status: int
) -> None:
    metrics = Metrics(own, token=TOKEN, workers=1, data_dir=tmp_path)
    heard = await scrape(metrics, *headers, client=client)
    assert (heard.status, heard.header("cache-control")) == (status, "no-store")


@pytest.mark.parametrize("shown", ["", " ", "x"])
async def test_without_a_token_none_is_right(own: OwnNumbers, tmp_path: Path, shown: str) -> None:
    metrics = Metrics(own, token="", workers=1, data_dir=tmp_path)
    heard = await scrape(metrics, HOST, ("authorization", f"Bearer {shown}"), client=("203.0.113.9", 40000))
    assert heard.status == 404


async def test_calls_are_counted_and_nobody_is_named(
    own: OwnNumbers, plane: DataPlane, stored: Stored, upstream: RawBackend, tmp_path: Path
) -> None:
    del upstream
    assert (await call(plane, "GET", f"{JOBS}/jobs/4711?q=secret", bearer(stored.read))).status == 200
    assert (await call(plane, "POST", f"{JOBS}/jobs", bearer(stored.read))).status == 403
    assert (await call(plane, "GET", f"{JOBS}/nothing", bearer(stored.read))).status == 404
    assert (await call(plane, "GET", f"{JOBS}/jobs/1")).status == 401
    plane.health.unreachable = {"jobs"}
    heard = await scrape(Metrics(own, token="", workers=1, data_dir=tmp_path), HOST)
    requests = {
        (s.labels["operation"], s.labels["decision"], s.labels["status"]): s.value
        for s in samples(heard)
        if s.name == "gatehouse_requests_total"
    }
    found = next(operation for operation, decision, _status in requests if decision == "allow")
    assert requests == {
        (found, "allow", "200"): 1, ("jobs-1", "deny", "403"): 1, ("", "deny", "404"): 1, (found, "deny", "401"): 1,
    }  # fmt: skip
    assert value(heard, "gatehouse_upstream_duration_seconds_count", {"backend": "jobs"}) == 1
    assert value(heard, "gatehouse_stage_duration_seconds_count", {"stage": "route"}) == 1
    assert value(heard, "gatehouse_limiter_decisions_total", {"decision": "allowed"}) == 1
    assert value(heard, "gatehouse_breaker_open", {"backend": "jobs"}) == 0
    assert value(heard, "gatehouse_backend_unreachable", {"backend": "jobs"}) == 1
    assert value(heard, "gatehouse_upstream_connections", {"backend": "jobs", "state": "in_use"}) == 0
    assert value(heard, "gatehouse_upstream_connections", {"backend": "jobs", "state": "idle"}) == 1
    assert value(heard, "gatehouse_audit_events_written_total") >= 4
    assert value(heard, "gatehouse_audit_events_lost_total") == 0
    assert value(heard, "gatehouse_audit_batch_events_count") >= 1
    assert value(heard, "process_resident_memory_bytes", {"worker": "0"}) > LONG_AGO
    text = heard.body.decode()
    assert not [each for each in ("4711", "secret", "user_2abc", stored.client_id, stored.read) if each in text]


async def test_the_newer_format_for_who_asks(own: OwnNumbers, tmp_path: Path) -> None:
    metrics = Metrics(own, token="", workers=1, data_dir=tmp_path)
    heard = await scrape(metrics, HOST, ("accept", "application/openmetrics-text;version=1.0.0"))
    assert heard.header("content-type").startswith("application/openmetrics-text")
    assert heard.body.endswith(b"# EOF\n")
    assert (await call(metrics, "POST", "/metrics", HOST, client=LOOPBACK)).status == 405


TELL = """
import json, sys, time
from pathlib import Path
from gateway_project.measured import from_json
from gateway_project.worker_numbers import WorkerNumbers
WorkerNumbers(Path(sys.argv[1])).write(from_json(json.loads(sys.argv[2])))
print("told", flush=True)
sys.stdin.read()
"""


def test_one_worker_answers_for_all_and_keeps_what_a_dead_one_counted(tmp_path: Path) -> None:
    key = ("requests", "jobs", "search", "allow", "200")
    numbers = {"counters": [[key, 3]], "histograms": [[["audit_batch"], [1.0, 2.0]]], "gauges": [[["workers"], 1]]}
    mine = WorkerNumbers(tmp_path)
    mine.write(Numbers())
    command = [sys.executable, "-c", TELL, str(tmp_path), json.dumps(numbers | {"pids": [1]})]
    variables = {"PATH": os.environ["PATH"], "DEBUG": "1", "DATA_DIR": str(tmp_path)}
    variables["DJANGO_SETTINGS_MODULE"] = "gateway_project.settings"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"told\n"
        # A worker's folder is that of its parent: here the other one is a child of this very process
        (file,) = (tmp_path / "metrics").glob(f"*/{os.getpid()}-*/{other.pid}-*.json")
        file.rename(folder_of(tmp_path) / file.name)
        (told,) = mine.others()
        assert (told.counters, told.gauges, told.pids) == ({key: 3}, {("workers",): 1}, (1,))
        other.communicate()
    (told,) = mine.others()
    assert (told.counters, told.gauges, told.pids) == ({key: 3}, {}, ())


def folder_of(data_dir: Path) -> Path:
    """Where this process writes."""
    (folder,) = (data_dir / "metrics").glob(f"*/{os.getppid()}-*")
    return folder


def test_what_an_earlier_server_left_is_removed_and_nonsense_is_nothing(tmp_path: Path) -> None:
    mine = WorkerNumbers(tmp_path)
    mine.write(Numbers())
    folder = folder_of(tmp_path)
    (folder / "12.json").write_text("{")
    # One that runs no more, and one whose id another process has since
    for name in (f"{LONG_AGO}-1", f"{os.getppid()}-1"):
        (folder.parent / name).mkdir()
    elsewhere = folder.parent.parent / "another-machine" / f"{LONG_AGO}-1"
    elsewhere.mkdir(parents=True)
    mine.clear()
    assert list(folder.parent.iterdir()) == [folder]
    assert elsewhere.exists()
    assert mine.others() == []


@pytest.mark.parametrize(
    ("path", "status", "content", "outcome"),
    [
        ("/oauth/token", 200, b"{}", ("token", "ok")),
        ("/oauth/token", 400, b'{"error": "invalid_grant"}', ("token", "invalid_grant")),
        ("/oauth/token", 400, b'{"error": "made up"}', ("token", "http_400")),
        ("/oauth/token", 429, b"", ("token", "http_429")),
        ("/oauth/token", 400, b"[1]", ("token", "http_400")),
        ("/api/v1/gpt/oauth/token", 401, b'{"error": "invalid_client"}', ("token", "invalid_client")),
        ("/oauth/authorize", 302, b"", ("authorize", "ok")),
        ("/elsewhere/token", 200, b"", None),
        ("/oauth/other", 200, b"", None),
    ],
)
async def test_what_the_authorization_server_answers_is_counted(
    path: str, status: int, content: bytes, outcome: tuple[str, str] | None
) -> None:
    counts, sent = Counts(), []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    through = counting(send, counts, path=path, prefixes=["/api/v1/gpt/oauth"])
    await through({"type": "http.response.start", "status": status, "headers": []})
    await through({"type": "http.response.body", "body": content})
    assert counts.counters == ({("oauth", *outcome): 1} if outcome else {})
    assert len(sent) == 2


def test_every_metric_is_explained_in_the_guide() -> None:
    guide = Path("docs/guides/observe.md").read_text()
    explained = set(re.findall(r"`(gatehouse_[a-z_]+)`", guide))
    named = {f"{each.name}_total" for each in COUNTERS.values()}
    named |= {each.name for group in (GAUGES, HISTOGRAMS) for each in group.values()}
    assert explained == named
