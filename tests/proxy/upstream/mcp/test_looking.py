"""When backends are looked at, by whom, and what a look may cost."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from proxy.catalogue.mcp_backends import keep
from proxy.catalogue.mcp_backends.keep import claim, keep_fault
from proxy.catalogue.mcp_backends.models import Definition, McpBackend
from proxy.catalogue.snapshot import build
from proxy.upstream.mcp import looking
from proxy.upstream.mcp.faults import AnswerTooLarge, BadAnswer, McpFault
from proxy.upstream.mcp.look import look
from proxy.upstream.mcp.looking import Looking
from proxy.upstream.pool import PooledTransport
from tests.proxy.catalogue.mcp_backends.catalogue import mcp_backend, says, tool
from tests.proxy.plans import backend_plan
from tests.proxy.raw_backend import RawBackend, answer

JSON = "Content-Type: application/json"


def results(*values: dict[str, Any]) -> list[bytes]:
    """Answers to the first requests of a conversation."""
    found = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {"listChanged": True, "x\n": 1}}}
    documents = [{"jsonrpc": "2.0", "id": number, "result": value} for number, value in enumerate((found, *values), 1)]
    return [answer(json.dumps(each).encode(), JSON) for each in documents]


async def test_every_page_is_read(backend: RawBackend, transport: PooledTransport) -> None:
    pages = ({"tools": [tool("a"), None], "nextCursor": "b"}, {"tools": [tool("b")]})
    backend.says(*results(*pages))
    found = await look(backend_plan(backend.url), transport)
    assert ([each.name for each in found.found], found.unnamed) == (["a", "b"], 1)
    assert found.facts.capabilities == {"tools": {"listChanged": True}}
    assert json.loads(backend.arrived[2].content)["params"]["cursor"] == "b"


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ([{"tools": [], "nextCursor": "a"}, {"tools": [], "nextCursor": "a"}], BadAnswer),
        ([{"tools": [], "nextCursor": 7}], BadAnswer),
        ([{"tools": {}}], BadAnswer),
        ([{"tools": [{}] * 10_001}], AnswerTooLarge),
        ([{"tools": [], "nextCursor": str(page)} for page in range(200)], AnswerTooLarge),
        (
            [{"tools": [tool(_meta={"a": "x" * 4_000_000})], "nextCursor": str(page)} for page in range(9)],
            AnswerTooLarge,
        ),
        ([{"tools": [tool(_meta={"a": json.loads("[" * 200 + "]" * 200)})]}], BadAnswer),
    ],
    ids=["circle", "number", "no list", "too many", "too many pages", "too much", "too deep"],
)
async def test_lists_without_end_are_not_believed(
    backend: RawBackend, transport: PooledTransport, pages: list[dict[str, Any]], fault: type[McpFault]
) -> None:
    backend.says(*results(*pages))
    with pytest.raises(fault):
        await look(backend_plan(backend.url), transport, within_s=60)


@pytest.mark.django_db
def test_one_of_all_processes_looks_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = mcp_backend()
    asked: list[str] = []
    monkeypatch.setattr(looking, "look_now", lambda plans: asked.extend(plan.name for plan in plans))
    plans = build(revision=1).backends.values()
    first, second = (Looking(backends=lambda: plans) for _process in range(2))
    first.turn()
    second.turn()
    assert asked == ["weather"]
    says(backend)
    third, fourth = (Looking(backends=lambda: plans) for _process in range(2))
    third.turn()
    assert asked == ["weather"]
    fourth.lists_changed("weather")
    fourth.turn()
    assert asked == ["weather", "weather"]
    keep_fault(backend="weather", reason="backend_timeout", at=timezone.now())
    monkeypatch.setattr(keep, "LOOK_EVERY", timedelta(0))
    assert claim(backend="weather")
    assert not claim(backend="weather", at_once=True)


@pytest.mark.django_db
def test_who_does_not_answer_keeps_what_was_known() -> None:
    backend = mcp_backend(upstream_url="http://127.0.0.1:1/mcp")
    says(backend, tool())
    plans = list(build(revision=1).backends.values())
    assert looking.look_now(plans) == {"weather": "backend_unreachable"}
    assert McpBackend.objects.get().fault == "backend_unreachable"
    assert Definition.objects.get().seen_digest
    late = timezone.now() - timedelta(hours=1)
    keep_fault(backend="weather", reason="older", at=late)
    assert McpBackend.objects.get().fault == "backend_unreachable"
