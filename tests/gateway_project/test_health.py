"""Alive, ready, and a summary: for whatever watches the process, and about nobody."""

import pytest

from gateway_project.health import Health
from gateway_project.load import Load
from proxy.asgi import DataPlane
from proxy.catalogue import watch
from proxy.catalogue.snapshot import EMPTY
from proxy.catalogue.watch import Watcher
from proxy.issuers.keeper import KeyKeeper
from tests.proxy.asgi_client import call
from tests.proxy.committed import committed, db
from tests.proxy.plane import GatedRecorder, plane, recorder, stored

__all__ = ["committed", "db", "plane", "recorder", "stored"]


@pytest.fixture
async def health(plane: DataPlane, recorder: GatedRecorder) -> Health:
    """The health URLs of a running process."""
    return Health(watcher=plane.watcher, recorder=recorder, load=Load(), issuer_keys=plane.issuer_keys)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/health"])
def test_its_own_paths(path: str) -> None:
    health = Health(watcher=Watcher(), recorder=GatedRecorder(), load=Load(), issuer_keys=KeyKeeper())
    assert health.answers(path)
    assert not health.answers(f"{path}/")


async def test_a_process_that_works_is_ready(health: Health) -> None:
    heard = await call(health, "GET", "/readyz")
    assert (heard.status, heard.header("cache-control")) == (200, "no-store")
    checks = {"database": "ok", "catalogue": "ok", "signing_key": "ok", "audit": "ok"}
    assert heard.json() == {"status": "ok", "checks": checks}


async def test_the_summary_counts_and_names_nobody(health: Health) -> None:
    document = (await call(health, "GET", "/health")).json()
    assert (document["status"], document["product"], document["backends"]) == ("ok", "gatehouse", 5)
    assert document["issuers"] == {"registered": 0, "usable": 0}
    assert set(document) == {"status", "checks", "product", "backends", "issuers"}


async def test_a_process_that_cannot_record_is_alive_and_not_ready(health: Health, recorder: GatedRecorder) -> None:
    recorder.stop()
    ready = await call(health, "GET", "/readyz")
    assert (ready.status, ready.json()["status"], ready.json()["checks"]["audit"]) == (503, "unavailable", "failed")
    assert (await call(health, "GET", "/health")).status == 503
    alive = await call(health, "GET", "/healthz")
    assert (alive.status, alive.json()) == (200, {"status": "ok"})


async def test_a_lost_database_is_said(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALE_AFTER_S", 0)
    checks = (await call(health, "GET", "/readyz")).json()["checks"]
    assert checks == {"database": "failed", "catalogue": "ok", "signing_key": "ok", "audit": "ok"}


async def test_before_the_first_reading_nothing_is_ready() -> None:
    watcher = Watcher()
    assert watcher.snapshot is EMPTY
    heard = await call(
        Health(watcher=watcher, recorder=GatedRecorder(), load=Load(), issuer_keys=KeyKeeper()), "GET", "/readyz"
    )
    assert heard.status == 503
    assert set(heard.json()["checks"].values()) == {"failed"}


async def test_head_and_other_methods(health: Health) -> None:
    head = await call(health, "HEAD", "/readyz")
    assert (head.status, head.body) == (200, b"")
    post = await call(health, "POST", "/healthz")
    assert (post.status, post.header("allow")) == (405, "GET, HEAD")


async def test_a_process_that_is_being_stopped_is_not_ready(plane: DataPlane, recorder: GatedRecorder) -> None:
    load = Load()
    load.drain()
    heard = await call(
        Health(watcher=plane.watcher, recorder=recorder, load=load, issuer_keys=plane.issuer_keys), "GET", "/readyz"
    )
    assert (heard.status, heard.json()["checks"]["serving"]) == (503, "failed")
    await load.stop()
