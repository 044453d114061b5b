"""How the external issuers are, told to whatever watches the process and about nobody."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from gateway_project.health import Health
from gateway_project.load import Load
from proxy.asgi import DataPlane
from proxy.catalogue.snapshot import EMPTY
from proxy.catalogue.watch import Watcher
from proxy.issuers.keeper import KeyKeeper
from proxy.issuers.models import Issuer
from proxy.issuers.save import save_issuer
from tests.proxy.asgi_client import Exchange, call
from tests.proxy.committed import committed, db
from tests.proxy.issuers.idp import AUDIENCE, Idp, idp
from tests.proxy.plane import GatedRecorder, plane, recorder, stored

__all__ = ["committed", "db", "plane", "recorder", "stored"]


@pytest.fixture(scope="module")
def issuers(stored: object) -> Iterator[tuple[Idp, Idp]]:
    """One that answers and an Auth0 tenant that does not."""
    with idp() as well, idp() as ill:
        ill.status = 500
        for name, running in (("clerk", well), ("auth0", ill)):
            row = Issuer(
                name=name, issuer=running.issuer, audience=AUDIENCE, jwks_url=running.jwks_url, allow_private=True
            )
            save_issuer(issuer=row, actor=None)
        yield well, ill


async def told(plane: DataPlane, recorder: GatedRecorder, path: str, *, once: str) -> Exchange:
    """The answer at `path`, once both were asked for their keys."""
    health = Health(watcher=plane.watcher, recorder=recorder, load=Load(), issuer_keys=plane.issuer_keys)
    for _look in range(200):
        known = (await call(health, "GET", "/health/issuers")).json()["issuers"]
        if known[once]["usable"]:
            break
        await asyncio.sleep(0.02)
    return await call(health, "GET", path)


async def test_each_is_told_by_its_name(issuers: tuple[Idp, Idp], plane: DataPlane, recorder: GatedRecorder) -> None:
    heard = await told(plane, recorder, "/health/issuers", once="clerk")
    assert (heard.status, heard.header("cache-control")) == (503, "no-store")
    document: dict[str, Any] = heard.json()
    clerk, auth0 = document["issuers"]["clerk"], document["issuers"]["auth0"]
    assert document["status"] == "unavailable"
    assert (clerk["usable"], clerk["reachable"], clerk["keys"], clerk["algorithms"]) == (True, True, 1, ["RS256"])
    assert clerk["last_success"].endswith("+00:00")
    assert 0 <= clerk["age_s"] < 60
    assert auth0 == {
        "usable": False, "reachable": False, "last_success": None, "age_s": None, "keys": 0, "algorithms": ["RS256"],
    }  # fmt: skip
    text = heard.body.decode()
    assert not any(secret in text for secret in ("http", "127.0.0.1", "answer_status", issuers[0].keys[0].kid or "?"))


async def test_auth0_has_a_name_of_its_own(issuers: tuple[Idp, Idp], plane: DataPlane, recorder: GatedRecorder) -> None:
    del issuers
    heard = await told(plane, recorder, "/health/auth0", once="clerk")
    assert (heard.status, set(heard.json()["issuers"])) == (503, {"auth0"})


async def test_an_outage_elsewhere_does_not_make_the_process_unready(
    issuers: tuple[Idp, Idp], plane: DataPlane, recorder: GatedRecorder
) -> None:
    del issuers
    summary = await told(plane, recorder, "/health", once="clerk")
    assert (summary.status, summary.json()["issuers"]) == (200, {"registered": 2, "usable": 1})
    assert (await told(plane, recorder, "/readyz", once="clerk")).status == 200


async def test_where_none_is_registered_nothing_is_wrong() -> None:
    watcher = Watcher()
    assert watcher.snapshot is EMPTY
    health = Health(watcher=watcher, recorder=GatedRecorder(), load=Load(), issuer_keys=KeyKeeper())
    heard = await call(health, "GET", "/health/issuers")
    assert (heard.status, heard.json()) == (200, {"status": "ok", "issuers": {}})
    assert (await call(health, "GET", "/health/auth0")).status == 404
