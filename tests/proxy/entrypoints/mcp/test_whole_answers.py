"""A server that ends the answer to a call before its result, to be asked for the rest."""

from typing import Any

import pytest

from proxy.entrypoints.mcp import upstream_call, whole_answers
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import EVENTS_HEAD, event, heard_events
from tests.proxy.entrypoints.mcp.sessions import Talk, initialize
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Wire, answer, chunk

TEXT = {"content": [{"type": "text", "text": "hello"}]}


class Broken:
    """A server that ends the answer to a call before its result, and what it says to whoever asks for the rest."""

    def __init__(self, talk: Talk, *pieces: bytes) -> None:
        self.talk = talk
        self.rests: list[bytes] = []
        self._pieces = pieces
        talk.server.says("tools/call", self._break_off)
        talk.server.says("GET", self._go_on)

    async def _break_off(self, wire: Wire, message: dict[str, Any]) -> None:
        del message
        await wire.write(EVENTS_HEAD + b"".join(map(chunk, self._pieces)) + chunk(b""))

    async def _go_on(self, wire: Wire, message: dict[str, Any]) -> None:
        del message
        rest = self.rests.pop(0) if len(self.rests) > 1 else self.rests[0]
        await wire.write(rest)

    async def called(self) -> dict[str, Any]:
        """The result of the call."""
        heard = await self.talk.post({"id": 7, "method": "tools/call", "params": {"name": "find"}})
        found: dict[str, Any] = (heard_events(heard.body) or [heard.json()])[-1]["result"]
        return found

    def asked(self) -> list[list[str]]:
        """After which events it was asked for the rest."""
        return [each.values("last-event-id") for each in self.talk.server.requests if each.line.startswith("GET")]


END = EVENTS_HEAD + event({"jsonrpc": "2.0", "id": 7, "result": TEXT}) + chunk(b"")


@pytest.fixture(autouse=True)
def nobody_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_answers, "RETRY_S", 0.0)
    monkeypatch.setattr(whole_answers, "RETRY_MIN_S", 0.0)


@pytest.fixture
def few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_call, "REQUESTS_MAX", 3)


@pytest.fixture
async def talk(legacy: Caller, road: Road) -> Talk:
    return await initialize(legacy, road)


async def test_a_server_may_end_an_answer_to_be_asked_for_the_rest(talk: Talk) -> None:
    # First an event that only has an id, then one that is never whole; and the rest comes in two streams again
    broken = Broken(talk, b"id: a1\nretry: 0\ndata: \n\n", b'id: a2\ndata: {"jsonrpc"')
    broken.rests = [EVENTS_HEAD + chunk(b"id: b1\ndata: \n\n") + chunk(b""), END]
    assert await broken.called() == TEXT
    assert broken.asked() == [["a1"], ["b1"]]
    assert broken.talk.server.requests[-1].header("mcp-session-id") == "up-1"
    assert talk.caller.token not in str(broken.talk.server.requests[-1].headers)


@pytest.mark.parametrize(
    ("piece", "rest", "asked"),
    [
        # Nothing says from where on to ask
        (b": hello\n\n", END, []),
        ("id: é\ndata: \n\n".encode(), END, []),
        (b"id: a1\ndata: \n\n", answer(b"", status="405 Method Not Allowed"), [["a1"]]),
        (b"id: a1\ndata: \n\n", answer(b"{}", "Content-Type: application/json"), [["a1"]]),
        # It never comes to an end
        (b"id: a1\ndata: \n\n", EVENTS_HEAD + chunk(b""), [["a1"]] * 3),
    ],
)
@pytest.mark.usefixtures("few_requests")
async def test_an_answer_without_its_rest_is_a_failure(
    talk: Talk, piece: bytes, rest: bytes, asked: list[list[str]]
) -> None:  # fmt: skip
    broken = Broken(talk, piece)
    broken.rests = [rest]
    assert (await broken.called())["isError"] is True
    assert broken.asked() == asked
