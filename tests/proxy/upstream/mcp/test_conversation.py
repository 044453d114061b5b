"""Agreeing on a revision and asking: the MCP project's own server in both eras, and servers made of bytes."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from proxy.refusals import BackendUnreachable, DeadlinePassed
from proxy.upstream.mcp.conversation import Conversation
from proxy.upstream.mcp.faults import AnswerTooLarge, BadAnswer, BadStatus, McpFault, NoCommonVersion, RpcFault
from proxy.upstream.pool import PooledTransport
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, answer, chunk, silence
from tests.sdk_server import served, weather_server

JSON = "Content-Type: application/json"
EVENTS = "Content-Type: text/event-stream"
INITIALIZED = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "old"}}


@pytest.fixture(scope="module")
def weather() -> Iterator[str]:
    """The URL of a real server."""
    with served(weather_server()) as url:
        yield url


@pytest.fixture
async def conversation(backend: RawBackend, transport: PooledTransport) -> Conversation:
    """One with a backend made of bytes."""
    return with_backend(f"{backend.url}/mcp/", transport)


def with_backend(url: str, transport: PooledTransport, within_s: float = 5.0, **changes: Any) -> Conversation:
    """A conversation with whoever listens at `url`."""
    deadline = asyncio.get_running_loop().time() + within_s
    return Conversation(backend_plan(url, **changes), transport, deadline=deadline)


def result(value: dict[str, Any], *headers: str, request_id: object = 1) -> bytes:
    """An answer with a result."""
    document = {"jsonrpc": "2.0", "id": request_id, "result": value}
    return answer(json.dumps(document).encode(), JSON, *headers)


def error(code: int, data: object = None, *, request_id: object = None) -> bytes:
    """An answer with an error."""
    document = {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": "no", "data": data}}
    return answer(json.dumps(document).encode(), JSON, status="400 Bad Request")


async def test_the_projects_own_server_in_the_newest_revision(weather: str, transport: PooledTransport) -> None:
    conversation = with_backend(weather, transport)
    negotiated = await conversation.open()
    assert negotiated.is_modern
    assert negotiated.server_info["name"] == "weather"
    assert negotiated.instructions == "Ask for one city at a time."
    assert {tool["name"] for tool in (await conversation.ask("tools/list"))["tools"]} == {"forecast", "erase"}
    called = await conversation.ask("tools/call", {"name": "forecast", "arguments": {"city": "Lisbon"}})
    assert called["content"][0]["text"] == "Sun in Lisbon"


async def test_the_projects_own_server_with_a_handshake(weather: str, transport: PooledTransport) -> None:
    conversation = with_backend(weather, transport)
    negotiated = await conversation.initialize()
    assert negotiated.version == "2025-11-25"
    assert negotiated.session_id
    assert {tool["name"] for tool in (await conversation.ask("tools/list"))["tools"]} == {"forecast", "erase"}
    await conversation.close()
    with pytest.raises(McpFault):
        await conversation.ask("tools/list")


async def test_a_modern_request_says_everything_in_its_headers_too(
    backend: RawBackend, conversation: Conversation
) -> None:
    backend.says(result({"supportedVersions": ["2026-07-28"], "capabilities": {}}), result({}, request_id=2))
    await conversation.open()
    await conversation.ask("resources/read", {"uri": "file:///é", "_meta": {"progressToken": 1}})
    read = backend.arrived[1]
    assert read.target == "/mcp/"
    assert read.header("mcp-protocol-version") == "2026-07-28"
    assert read.header("mcp-method") == "resources/read"
    assert read.header("mcp-name") == "=?base64?ZmlsZTovLy/DqQ==?="
    meta = json.loads(read.content)["params"]["_meta"]
    assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
    assert meta["progressToken"] == 1


@pytest.mark.parametrize(
    "refusal",
    [
        answer(status="404 Not Found"),
        answer(status="500 Internal Server Error"),
        answer(b"<html>", "Content-Type: text/html"),
        error(-32601),
        error(-32600),
        error(-32022, {"supported": ["2025-06-18"]}),
        result({"supportedVersions": ["2025-06-18"], "capabilities": {}}),
    ],
    ids=["404", "500", "page", "unknown method", "no session", "names others", "offers others"],
)
async def test_a_server_of_before_gets_its_handshake_and_its_session(
    backend: RawBackend, conversation: Conversation, refusal: bytes
) -> None:
    backend.says(
        refusal,
        result(INITIALIZED, "Mcp-Session-Id: s-1", request_id=2),
        answer(status="202 Accepted"),
        result({"tools": []}, request_id=3),
        answer(),
    )
    assert (await conversation.open()).version == "2025-06-18"
    await conversation.ask("tools/list")
    await conversation.close()
    handshake, initialized, listed, ended = backend.arrived[1:]
    assert not handshake.values("mcp-protocol-version")
    assert json.loads(initialized.content) == {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert listed.header("mcp-session-id") == "s-1"
    assert listed.header("mcp-protocol-version") == "2025-06-18"
    assert ended.line.startswith("DELETE /mcp/ ")
    assert ended.header("mcp-session-id") == "s-1"


async def test_the_result_is_found_among_what_else_a_stream_says(
    backend: RawBackend, conversation: Conversation
) -> None:
    messages: list[dict[str, Any]] = [
        {"method": "notifications/message", "params": {}},
        {"method": "roots/list", "id": 1},
        {"id": "1", "result": {"supportedVersions": ["no"], "capabilities": {}}},
        {"id": 1, "result": {"supportedVersions": ["2026-07-28"], "capabilities": {}}},
    ]
    written = [f"data: {json.dumps({'jsonrpc': '2.0', **each})}\n\n".encode() for each in messages]
    head = f"HTTP/1.1 200 OK\r\n{EVENTS}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    backend.says(head + b"".join(map(chunk, written)))
    assert (await conversation.open()).is_modern


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([answer(status="401 Unauthorized")], BadStatus),
        ([answer(status="503 Service Unavailable")], BadStatus),
        ([error(-32022, {"supported": ["2027-01-01"]})], NoCommonVersion),
        ([error(-32601), result({**INITIALIZED, "protocolVersion": "2024-11-05"}, request_id=2)], NoCommonVersion),
        ([error(-32601), result({"protocolVersion": "2025-06-18"}, request_id=2)], BadAnswer),
        ([error(-32601), result(INITIALIZED, "Mcp-Session-Id: a b", request_id=2)], BadAnswer),
        ([error(-32601), result(INITIALIZED, request_id=9)], BadAnswer),
        ([error(-32601), answer(b'{"jsonrpc":"2.0","id":2,"id":2,"result":{}}', JSON)], BadAnswer),
        ([error(-32601), answer(b'{"jsonrpc":"2.0","id":2,"result":{"a":"\\ud800"}}', JSON)], BadAnswer),
        ([error(-32601), answer(b"{}", JSON, "Content-Encoding: gzip")], BadAnswer),
        ([error(-32601), answer(b" " * 4_194_305, JSON)], AnswerTooLarge),
        ([error(-32601), error(-32000, request_id=2)], RpcFault),
        ([error(-32601), result(INITIALIZED, request_id=2), answer(status="400 Bad Request")], BadStatus),
    ],
)  # fmt: skip
async def test_a_server_that_does_not_agree_is_refused(
    backend: RawBackend, conversation: Conversation, steps: list[bytes], fault: type[McpFault]
) -> None:
    backend.says(*steps)
    with pytest.raises(fault):
        await conversation.open()


async def test_silence_ends_at_the_deadline(backend: RawBackend, transport: PooledTransport) -> None:
    backend.says(silence)
    with pytest.raises(DeadlinePassed):
        await with_backend(backend.url, transport, within_s=0.2).open()


async def test_the_guard_of_calls_holds_here_too(transport: PooledTransport) -> None:
    with pytest.raises(BackendUnreachable):
        await with_backend("http://127.0.0.1:1/mcp", transport).open()
