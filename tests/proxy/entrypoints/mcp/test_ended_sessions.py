"""What is left of a session once its client ended it: nothing, whoever answers."""

from dataclasses import replace

import pytest

from proxy.asgi import DataPlane
from tests.proxy.asgi_client import HOST
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import BACKEND, serve
from tests.proxy.entrypoints.mcp.sessions import OWN, Talk, initialize
from tests.proxy.plane import GatedRecorder, Road
from tests.proxy.raw_backend import answer
from tests.proxy.world import bearer

LIST = {"id": 1, "method": "tools/list"}


@pytest.fixture
async def talk(legacy: Caller, road: Road) -> Talk:
    return await initialize(legacy, road)


async def test_delete_ends_the_session_behind(talk: Talk, road: Road) -> None:
    talk.server.says("DELETE", lambda wire, _message: wire.write(answer()))
    sent = (HOST, bearer(talk.caller.token))
    assert (await road.call("DELETE", OWN, *sent, talk.session)).status == 200
    assert talk.server.requests[-1].header("mcp-session-id") == "up-1"
    assert (await road.call("DELETE", OWN, *sent)).status == 405
    talk.server.says("DELETE", lambda wire, _message: wire.write(answer(status="405 Method Not Allowed")))
    assert (await road.call("DELETE", OWN, *sent, talk.session)).status == 405


@pytest.mark.parametrize(
    ("status", "after"), [("200 OK", 404), ("404 Not Found", 404), ("405 No", 200), ("500 No", 200)]
)
async def test_what_the_gateway_answers_by_itself_ends_with_the_session(
    talk: Talk, road: Road, status: str, after: int
) -> None:  # fmt: skip
    another = await initialize(talk.caller, road)
    another.server.says("DELETE", lambda wire, _message: wire.write(answer(status=status)))
    assert (await talk.post(LIST)).status == 200
    await road.call("DELETE", OWN, HOST, bearer(talk.caller.token), talk.session)
    for message in (LIST, {"id": 2, "method": "ping"}):
        assert (await talk.post(message)).status == after
        assert (await another.post(message)).status == 200
    # Every worker, and at once
    worker = DataPlane(recorder=GatedRecorder())
    await worker.start()
    elsewhere = replace(talk.caller, road=replace(road, plane=worker))
    serve(elsewhere.road, path=OWN, backend=BACKEND, resource=worker.watcher.snapshot.servers["/mcp"].resource)
    assert (await talk.post(LIST, caller=elsewhere)).status == after
    await worker.stop()
