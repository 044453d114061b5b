"""JSON-RPC backends: the method in the body decides, on the one parse, and exactly those bytes are sent."""

import asyncio
import json
from typing import Any

import pytest

from proxy.catalogue.models import Backend, BackendKind, Operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.limits.models import Limit
from proxy.pipeline.rpc import BATCH_MAX
from tests.proxy.asgi_client import Exchange
from tests.proxy.plane import Road
from tests.proxy.raw_backend import Wire, answer, chunk
from tests.proxy.world import API_KEY, Stored, events
from tests.tcp_server import HOST

CODEX = "/api/v1/codex"
KEY = ("x-api-key", API_KEY)
JSON = ("content-type", "application/json")
SMALL = 200


@pytest.fixture(scope="module")
def codex(stored: Stored) -> Backend:
    """A gateway for coding agents: a method for those who read, one for those who write, a stream, and a webhook."""
    backend = Backend(
        name="codex", kind=BackendKind.JSONRPC, prefix=CODEX, upstream_url=f"http://{HOST}:{stored.port}",
        allow_private=True, auth_mode="api_key",
    )  # fmt: skip
    save_backend(backend=backend, actor=None)
    post = {"backend": backend, "methods": ["POST"]}
    for fields in (
        {"operation_id": "list", "path": "/jsonrpc", "rpc_method": "thread/list", "scopes": ["jobs:read"]},
        {"operation_id": "start", "path": "/jsonrpc", "rpc_method": "thread/start", "scopes": ["jobs:write"]},
        {"operation_id": "ping", "path": "/jsonrpc", "rpc_method": "ping", "max_request_bytes": SMALL},
        {"operation_id": "exec", "path": "/exec", "scopes": ["jobs:read"]},
        {"operation_id": "webhook", "path": "/webhook"},
    ):
        save_operation(operation=Operation(**post, **fields), actor=None)
    return backend


@pytest.fixture
def rpc(road: Road, codex: Backend) -> Road:
    """The road to it."""
    del codex
    road.upstream.says(answer(b'{"jsonrpc":"2.0","result":1,"id":1}', "content-type: application/json"))
    return road


async def send(road: Road, content: bytes, *headers: tuple[str, str], path: str = "/jsonrpc") -> Exchange:
    """POST `content` as whoever has the key."""
    sent = [KEY, *(headers or (JSON,)), ("content-length", str(len(content)))]
    return await road.call("POST", f"{CODEX}{path}", *sent, body=(content,))


def message(method: str, **members: Any) -> dict[str, Any]:
    """A request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method} | members


async def test_a_method_whose_scope_the_caller_has_is_carried_byte_for_byte(rpc: Road) -> None:
    content = b'\n{ "params":{"b":1.50,"a":"\\u0061"} ,"method":"thread/list","id":null,"jsonrpc":"2.0"}  '
    heard = await send(rpc, content)
    assert (heard.status, heard.json()["result"]) == (200, 1)
    assert (rpc.upstream.request.target, rpc.upstream.request.content) == ("/jsonrpc", content)
    assert rpc.upstream.request.header("content-length") == str(len(content))
    intent, final = await events(heard.request_id)
    assert (intent.operation, final.operation, final.decision, final.request_bytes) == (
        "list", "list", "allow", len(content),
    )  # fmt: skip


async def test_each_method_has_a_scope_of_its_own(rpc: Road) -> None:
    heard = await send(rpc, json.dumps(message("thread/start")).encode())
    assert (heard.status, heard.json()["error"]) == (403, "insufficient_scope")
    assert 'scope="jobs:write"' in heard.header("www-authenticate")
    (event,) = await events(heard.request_id)
    assert (event.operation, event.decision, event.scopes_required) == ("start", "deny", "jobs:write")
    assert not rpc.upstream.arrived


@pytest.mark.parametrize("name", ["thread/delete", "Thread/list", "thread/list ", "thread/list\x00", "", "*", "ping.x"])
async def test_a_method_that_is_not_listed_does_not_exist(rpc: Road, name: str) -> None:
    heard = await send(rpc, json.dumps(message(name)).encode())
    assert (heard.status, heard.json()["error"]) == (404, "not_found")
    (event,) = await events(heard.request_id)
    assert (event.reason, event.operation) == ("rpc_method_not_found", "")
    assert not rpc.upstream.arrived


async def test_a_notification_is_carried_and_its_empty_answer_too(rpc: Road) -> None:
    rpc.upstream.says(answer(status="204 No Content"))
    heard = await send(rpc, b'{"jsonrpc":"2.0","method":"thread/list"}')
    assert (heard.status, heard.body) == (204, b"")


async def test_a_batch_is_carried_whole_with_an_event_for_each_message(rpc: Road) -> None:
    content = json.dumps([message("thread/list"), message("ping", id=2), message("thread/list", id="3")]).encode()
    heard = await send(rpc, content)
    assert heard.status == 200
    assert rpc.upstream.request.content == content
    told = sorted((event.phase, event.operation) for event in await events(heard.request_id))
    assert told == [(phase, name) for phase in ("final", "intent") for name in ("list", "list", "ping")]


@pytest.mark.parametrize(("hidden", "status"), [("thread/start", 403), ("thread/delete", 404)])
@pytest.mark.parametrize("position", [0, 1, 2])
async def test_one_message_that_may_not_pass_refuses_its_batch(
    rpc: Road, hidden: str, status: int, position: int
) -> None:
    batch = [message("thread/list"), message("thread/list", id=2)]
    batch.insert(position, message(hidden, id=3))
    assert (await send(rpc, json.dumps(batch).encode())).status == status
    assert not rpc.upstream.arrived


async def test_a_batch_that_no_wait_would_let_in_is_told_so(rpc: Road, codex: Backend) -> None:
    limit = await asyncio.to_thread(Limit.objects.create, backend=codex, per="operation", max_calls=2, window_ms=60_000)
    await asyncio.to_thread(rpc.plane.watcher.refresh)
    await asyncio.to_thread(rpc.plane._limits.read)  # noqa: SLF001 - as after a change of the catalogue
    try:
        batch = [message(name, id=number) for number, name in enumerate(["thread/list", *["ping"] * 3])]
        refused = await send(rpc, json.dumps(batch).encode())
        assert (refused.status, "send fewer" in refused.json()["detail"]) == (429, True)
        assert (await send(rpc, json.dumps(batch[:3]).encode())).status == 200
    finally:
        await asyncio.to_thread(limit.delete)


async def test_a_batch_uses_up_as_many_calls_as_it_has_messages(rpc: Road, codex: Backend) -> None:
    limit = await asyncio.to_thread(Limit.objects.create, backend=codex, per="client", max_calls=5, window_ms=600_000)
    await asyncio.to_thread(rpc.plane.watcher.refresh)
    await asyncio.to_thread(rpc.plane._limits.read)  # noqa: SLF001 - as after a change of the catalogue
    try:
        batch = json.dumps([message("thread/list", id=number) for number in range(3)]).encode()
        assert [(await send(rpc, batch)).status for _ in range(2)] == [200, 429]
        assert len(rpc.upstream.arrived) == 1
        # The one that was refused has used up nothing
        single = json.dumps(message("thread/list")).encode()
        assert [(await send(rpc, single)).status for _ in range(3)] == [200, 200, 429]
    finally:
        await asyncio.to_thread(limit.delete)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"null", b"7", b'"x"', b"[]", b"[1]", b"[[]]", b"{}",
        b'{"jsonrpc":"2.0","method":"thread/list","method":"thread/start"}',
        b'{"jsonrpc":"2.0","method":"thread/list","Method":"thread/start"}',
        b'{"jsonrpc":"2.0","method":"thread/list","METHOD":"thread/start","id":1}',
        b'{"jsonrpc":"2.0","method":"thread/list","params":{"a":1,"a":2}}',
        b'{"jsonrpc":"2.0","method":"thread/list","extra":1}',
        b'{"jsonrpc":"1.0","method":"thread/list"}', b'{"method":"thread/list"}', b'{"jsonrpc":2.0,"method":"ping"}',
        b'{"jsonrpc":"2.0","method":["thread/list"]}', b'{"jsonrpc":"2.0","method":null}', b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"result":1}', b'{"jsonrpc":"2.0","method":"thread/list","params":"x"}',
        b'{"jsonrpc":"2.0","method":"thread/list","id":{}}', b'{"jsonrpc":"2.0","method":"thread/list","id":true}',
        b'\xef\xbb\xbf{"jsonrpc":"2.0","method":"thread/list"}',
        '{"jsonrpc":"2.0","method":"thread/list"}'.encode("utf-16"),
        b'{"jsonrpc":"2.0","method":"thread/list","id":1e400}', b'{"jsonrpc":"2.0","method":"thread/list","id":NaN}',
        b'{"jsonrpc":"2.0","method":"thread/list","params":[' + b"[" * 10_000 + b"]" * 10_000 + b"]}",
        b'{"jsonrpc":"2.0","method":"thread/list","id":' + b"9" * 5000 + b"}",
        b'{"jsonrpc":"2.0","method":"thread/list","params":{}} {"jsonrpc":"2.0","method":"thread/start"}',
        b'{"jsonrpc":"2.0","method":"thread/l\xffst"}',
        json.dumps([message("ping", id=number) for number in range(BATCH_MAX + 1)]).encode(),
    ],
)  # fmt: skip
async def test_what_can_be_read_in_two_ways_or_is_no_message_is_refused(rpc: Road, content: bytes) -> None:
    heard = await send(rpc, content)
    assert (heard.status, heard.json()["error"]) == (400, "invalid_request")
    assert not rpc.upstream.arrived


@pytest.mark.parametrize(
    "headers",
    [
        (("content-type", "text/plain"),), (("content-type", "application/json; charset=utf-16"),),
        (("x-nothing", "1"),), (JSON, ("content-encoding", "gzip")),
    ],
)  # fmt: skip
async def test_another_kind_of_body_is_refused_unread(rpc: Road, headers: tuple[tuple[str, str], ...]) -> None:
    assert (await send(rpc, json.dumps(message("ping")).encode(), *headers)).status == 415
    assert not rpc.upstream.arrived


async def test_a_message_may_be_as_long_as_its_method_takes(rpc: Road) -> None:
    long = {"text": "x" * 100_000}
    assert (await send(rpc, json.dumps(message("thread/list", params=long)).encode())).status == 200
    assert (await send(rpc, json.dumps(message("ping", params=long)).encode())).status == 413
    assert (await send(rpc, b" " * 1_100_000)).status == 413


async def test_only_a_post_names_a_method_and_nobody_unknown_sends_a_body(rpc: Road) -> None:
    heard = await rpc.call("GET", f"{CODEX}/jsonrpc", KEY)
    assert (heard.status, heard.header("allow")) == (405, "OPTIONS, POST")
    # The body never comes: nobody reads it
    assert (await rpc.call("POST", f"{CODEX}/jsonrpc", JSON, ("content-length", "50"), body=None)).status == 401
    assert not rpc.upstream.arrived


@pytest.mark.parametrize("kind", ["application/jsonl", "application/x-ndjson"])
async def test_a_stream_of_lines_arrives_line_by_line(rpc: Road, kind: str) -> None:
    go_on = asyncio.Event()

    async def lines(wire: Wire) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        await wire.write(head.encode() + chunk(b'{"n":1}\n'))
        await go_on.wait()
        await wire.write(chunk(b'{"n":2}\n') + chunk(b""))

    rpc.upstream.says(lines)
    exchange, running = rpc.begin("POST", f"{CODEX}/exec", KEY, JSON, body=(b"{}",))
    await exchange.until(lambda so_far: so_far.body == b'{"n":1}\n')
    assert not exchange.complete
    go_on.set()
    await asyncio.wait_for(running, 5)
    assert exchange.body == b'{"n":1}\n{"n":2}\n'
    assert exchange.header("x-accel-buffering") == "no"
    assert not exchange.values("content-security-policy")


async def test_a_webhook_of_the_same_backend_takes_any_body_with_a_key(rpc: Road) -> None:
    heard = await send(rpc, b"not json", ("content-type", "text/plain"), path="/webhook")
    assert (heard.status, rpc.upstream.request.target) == (200, "/webhook")
    assert (await rpc.call("POST", f"{CODEX}/webhook", body=(b"x",))).status == 401
