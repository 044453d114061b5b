"""A server with a handshake asks in the middle of a call; its client of 2026-07-28 answers in another request."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from proxy.asgi import DataPlane
from proxy.entrypoints.mcp import rounds, session, upstream_call, whole_answers
from proxy.entrypoints.mcp.caller import Caller as SentBy
from proxy.entrypoints.mcp.revisions import HANDSHAKE
from proxy.idempotency.models import KeptCall
from tests.proxy.entrypoints.mcp.conftest import Caller
from tests.proxy.entrypoints.mcp.federation import EVENTS_HEAD, McpServer, behind, event, feature, serve
from tests.proxy.plane import GatedRecorder, Road
from tests.proxy.plans import ANA, received
from tests.proxy.raw_backend import Wire, chunk
from tests.proxy.world import events

CAPABILITIES: dict[str, Any] = {"elicitation": {"form": {}}, "sampling": {}, "extensions": {}}
META = {"io.modelcontextprotocol/clientCapabilities": CAPABILITIES}
CALL: dict[str, Any] = {"name": "find", "arguments": {"city": "Recife"}, "_meta": META}
SURE: dict[str, Any] = {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}
ACCEPTED = {"action": "accept", "content": {}}


@pytest.fixture(autouse=True)
def every_call_shakes_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_call, "WITHOUT_SESSIONS_S", 0.0)


class Asking:
    """A server that asks `questions` one after the other, and then says which answers it got."""

    def __init__(self, server: McpServer, *questions: dict[str, Any]) -> None:
        self.server = server
        self.questions = questions
        self.breaks_off = False
        server.session = "up-1"
        server.says("tools/call", self._called)

    async def _called(self, wire: Wire, message: dict[str, Any]) -> None:
        await wire.write(EVENTS_HEAD + event({"jsonrpc": "2.0", "id": "p", "method": "ping"}))
        answers = []
        for number, question in enumerate(self.questions):
            asked = f"{number} of {message['id']}"
            await wire.write(event({"jsonrpc": "2.0", "id": asked, **question}))
            answer = await self.server.until(lambda each, asked=asked: each.get("id") == asked)  # type: ignore[misc]
            answers.append(answer.get("result", answer.get("error")))
            if self.breaks_off:
                wire.close()
                return
        result = {"content": [], "structuredContent": {"answers": answers}}
        await wire.write(event({"jsonrpc": "2.0", "id": message["id"], "result": result}) + chunk(b""))


ELICIT = {"method": "elicitation/create", "params": SURE}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 5}}


def asking(road: Road, *questions: dict[str, Any]) -> Asking:
    """That server behind the gateway."""
    server = behind(road, HANDSHAKE[0])
    serve(road, feature("tool", "find"))
    return Asking(server, *questions)


async def answered(caller: Caller, asked: dict[str, Any], answer: dict[str, Any] = ACCEPTED) -> dict[str, Any]:
    """The result of the call again, with the answer to what the result before `asked`."""
    again = {"inputResponses": {"input": answer}, "requestState": asked["requestState"]}
    return await caller.result("tools/call", CALL | again)


async def test_the_question_is_a_result_and_the_answer_brings_the_next_one(modern: Caller, road: Road) -> None:
    found = asking(road, ELICIT, SAMPLE)
    heard = await modern.send("tools/call", CALL)
    first = heard.json()["result"]
    assert (first["resultType"], first["inputRequests"]) == ("input_required", {"input": ELICIT})
    assert found.server.heard[0]["params"]["capabilities"] == {"elicitation": {"form": {}}, "sampling": {}}
    assert (await events(heard.request_id))[-1].decision == "allow"
    second = await answered(modern, first)
    assert (second["resultType"], second["inputRequests"]) == ("input_required", {"input": SAMPLE})
    sampled = {"role": "assistant", "model": "m", "content": {"type": "text", "text": "hi"}}
    last = await answered(modern, second, sampled)
    assert (last["resultType"], last["structuredContent"]) == ("complete", {"answers": [ACCEPTED, sampled]})
    # One call and one session, which ends with it
    await found.server.until(lambda each: each.get("method") == "DELETE")
    methods = [each.get("method", "answer") for each in found.server.heard]
    assert methods == ["initialize", "notifications/initialized", "tools/call", *["answer"] * 3, "DELETE"]
    assert not road.plane.waiting


async def test_a_server_may_end_its_stream_while_a_person_thinks(
    modern: Caller, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_answers, "RETRY_MIN_S", 0.0)
    found, calls = asking(road, ELICIT), list[dict[str, Any]]()

    async def ask(wire: Wire, message: dict[str, Any]) -> None:
        calls.append(message)
        question = json.dumps({"jsonrpc": "2.0", "id": 5, **ELICIT}).encode()
        await wire.write(EVENTS_HEAD + chunk(b"retry: 0\nid: q1\ndata: " + question + b"\n\n") + chunk(b""))

    async def go_on(wire: Wire, message: dict[str, Any]) -> None:
        del message
        await found.server.until(lambda each: each.get("id") == 5)
        end = {"jsonrpc": "2.0", "id": calls[0]["id"], "result": {"content": []}}
        await wire.write(EVENTS_HEAD + event(end) + chunk(b""))

    found.server.says("tools/call", ask)
    found.server.says("GET", go_on)
    last = await answered(modern, await modern.result("tools/call", CALL))
    assert last == {"resultType": "complete", "content": []}
    listened = [each for each in found.server.requests if each.line.startswith("GET")]
    assert [each.values("last-event-id") for each in listened] == [["q1"]]
    await found.server.until(lambda each: each.get("method") == "DELETE")
    assert not road.plane.waiting


async def test_what_was_answered_twice_has_one_result(modern: Caller, road: Road) -> None:
    asking(road, ELICIT)
    first = await modern.result("tools/call", CALL)
    again = CALL | {"inputResponses": {"input": ACCEPTED}, "requestState": first["requestState"]}
    heard = [await modern.send("tools/call", again) for _twice in range(2)]
    assert heard[0].json() == heard[1].json()
    # Each is a call like any other
    assert heard[0].header("ratelimit") != heard[1].header("ratelimit") != ""
    for each in heard:
        assert [event_.operation for event_ in await events(each.request_id)][-1] == "talk-find"


@asynccontextmanager
async def another(road: Road) -> AsyncIterator[Road]:
    """Another process, with the same catalogue on the same database."""
    running = DataPlane(recorder=GatedRecorder())
    await running.start()
    known = road.plane.watcher.snapshot
    running.watcher.snapshot = replace(running.watcher.snapshot, backends=known.backends, servers=known.servers)
    try:
        yield replace(road, plane=running)
    finally:
        await running.stop()


async def test_any_worker_takes_the_answer(modern: Caller, road: Road) -> None:
    asking(road, ELICIT, ELICIT)
    async with another(road) as worker:
        elsewhere = replace(modern, road=worker)
        second = await answered(elsewhere, await modern.result("tools/call", CALL))
        last = await answered(elsewhere, second)
    assert last["structuredContent"] == {"answers": [ACCEPTED, ACCEPTED]}


@pytest.mark.parametrize("capabilities", [{}, {"sampling": {}}, {"elicitation": 1}])
async def test_who_cannot_be_asked_is_not(modern: Caller, road: Road, capabilities: dict[str, Any]) -> None:
    asking(road, ELICIT)
    meta = {"io.modelcontextprotocol/clientCapabilities": capabilities}
    (answer,) = (await modern.result("tools/call", CALL | {"_meta": meta}))["structuredContent"]["answers"]
    assert answer["code"] == -32601


@pytest.mark.parametrize("limit", ["WAITING_MAX", "WAITING_OF_ONE_MAX"])
async def test_no_more_calls_wait_than_there_is_room_for(
    modern: Caller, road: Road, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    asking(road, ELICIT, ELICIT)
    monkeypatch.setattr(rounds, limit, 1)
    first = await modern.result("tools/call", CALL)
    refused = (await modern.result("tools/call", CALL))["structuredContent"]["answers"]
    assert [each["code"] for each in refused] == [-32601, -32601]
    # What waits already goes on
    second = await answered(modern, first)
    assert (await answered(modern, second))["structuredContent"] == {"answers": [ACCEPTED, ACCEPTED]}


async def test_a_server_asks_so_often_in_one_call_and_so_much_at_once(
    modern: Caller, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(rounds, "TURNS_MAX", 1)
    monkeypatch.setattr(rounds, "QUESTION_MAX", 1000)
    asking(road, ELICIT | {"params": SURE | {"message": "x" * 1000}}, ELICIT, ELICIT, ELICIT)
    second = await answered(modern, await modern.result("tools/call", CALL))
    answers = (await answered(modern, second))["structuredContent"]["answers"]
    assert [each.get("code", each.get("action")) for each in answers] == [-32601, "accept", "accept", -32601]


async def test_a_result_that_is_too_large_to_be_kept_is_a_failure(
    modern: Caller, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    asking(road, ELICIT)
    first = await modern.result("tools/call", CALL)
    monkeypatch.setattr(rounds, "ANSWER_MAX", 20)
    again = CALL | {"inputResponses": {"input": ACCEPTED}, "requestState": first["requestState"]}
    assert "ask for less" in (await modern.send("tools/call", again)).json()["error"]["message"]


async def test_only_its_own_call_goes_on(modern: Caller, road: Road) -> None:
    found = asking(road, ELICIT)
    first = await modern.result("tools/call", CALL)
    snapshot = road.plane.watcher.snapshot
    theirs = SentBy(received("POST", "/mcp"), snapshot.servers["/mcp"], snapshot, ANA)
    pending = session.Pending("up-1", HANDSHAKE[0], 1, "x", "", "", 0)
    state, responses = {"requestState": first["requestState"]}, {"inputResponses": {"input": ACCEPTED}}
    for wrong in (
        responses | {"requestState": "x"},
        responses | {"requestState": 7},
        responses | {"requestState": session.seal(pending, theirs)},
        responses | state | {"arguments": {"city": "Olinda"}},
        state,
        state | {"inputResponses": {"other": ACCEPTED}},
        state | {"inputResponses": {"input": "accept"}},
    ):
        assert (await modern.send("tools/call", CALL | wrong)).json()["error"]["code"] == -32602
    assert [each["method"] for each in found.server.heard if "method" in each][-1] == "tools/call"


async def test_a_server_that_breaks_off_is_a_failure(modern: Caller, road: Road) -> None:
    found = asking(road, ELICIT)
    found.breaks_off = True
    first = await modern.result("tools/call", CALL)
    heard = await modern.send("tools/call", CALL | {"inputResponses": {"input": ACCEPTED}} | {
        "requestState": first["requestState"]
    })  # fmt: skip
    assert "broke off" in heard.json()["error"]["message"]


async def test_a_client_that_does_not_come_back_is_waited_for_and_no_longer(
    modern: Caller, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(rounds, "PATIENCE_S", 0.2)
    found = asking(road, ELICIT)
    await modern.result("tools/call", CALL)
    await found.server.until(lambda each: each.get("method") == "DELETE")
    (called,) = (each for each in found.server.heard if each.get("method") == "tools/call")
    cancelled = await found.server.until(lambda each: each.get("method") == "notifications/cancelled")
    assert cancelled["params"]["requestId"] == called["id"]
    assert not road.plane.waiting


async def test_the_end_of_the_process_ends_what_waits(modern: Caller, road: Road) -> None:
    asking(road, ELICIT)
    async with another(road) as worker:
        first = await replace(modern, road=worker).result("tools/call", CALL)
        (task,) = worker.plane.waiting
    assert task.done()
    again = CALL | {"inputResponses": {"input": ACCEPTED}, "requestState": first["requestState"]}
    assert "broke off" in (await modern.send("tools/call", again)).json()["error"]["message"]


async def test_what_is_kept_between_the_rounds_is_sealed(modern: Caller, road: Road) -> None:
    asking(road, ELICIT, SAMPLE)
    await answered(modern, await modern.result("tools/call", CALL))
    kept = await asyncio.to_thread(lambda: list(KeptCall.objects.values_list("answer", flat=True)))
    assert kept
    assert not any("maxTokens" in each for each in kept)
