"""Servers that lie, or say too much: what they offer is kept for staff to see, and never served."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from proxy.catalogue.mcp_backends.approve import approve, approve_opened
from proxy.catalogue.mcp_backends.content import DESCRIPTION_MAX_BYTES, found_of
from proxy.catalogue.mcp_backends.models import Definition, State
from proxy.catalogue.mcp_backends.words import fault_words
from tests.proxy.catalogue.mcp_backends.catalogue import definition, listed, mcp_backend, opening, says, tool

pytestmark = pytest.mark.django_db
DEEP: dict[str, Any] = {"type": "object"}
for _level in range(100):
    DEEP = {"type": "object", "properties": {"a": DEEP}}
LIES: dict[str, tuple[dict[str, Any], str]] = {
    "a name of other characters": ({"name": "for cast"}, "name"),
    "a name that is too long": ({"name": "f" * 129}, "name"),
    "a path as a name": ({"name": "../erase"}, "name"),
    "no schema": ({"inputSchema": {"type": "nothing"}}, "schema"),
    "a schema of no object": ({"inputSchema": {"type": "string"}}, "schema"),
    "a schema elsewhere": ({"inputSchema": {"type": "object", "$ref": "https://evil.example/"}}, "schema"),
    "a schema without end": ({"inputSchema": DEEP}, "schema"),
    "a schema that is too large": (
        {"inputSchema": {"type": "object", "properties": {f"p{each}": {} for each in range(8000)}}}, "schema"
    ),
    "a schema of a result": ({"outputSchema": {"type": "object", "required": 1}}, "schema"),
    "no schema at all": ({"inputSchema": None}, "shape"),
    "a list as description": ({"description": ["a"]}, "shape"),
    "hints that are none": ({"annotations": [True]}, "shape"),
    "more than a model reads": ({"description": "é" * (DESCRIPTION_MAX_BYTES // 2 + 1)}, "description"),
    "more than anybody reads": ({"_meta": {"a": "x" * 200_000}}, "too_large"),
    "a backspace": ({"description": "Weather\b"}, "hidden_text"),
    "NUL": ({"description": "Weather\0"}, "hidden_text"),
    "right to left": ({"title": "\u202eliame daer"}, "hidden_text"),
    "tags": ({"description": "Weather" + "".join(chr(0xE0000 + ord(each)) for each in "read mail")}, "hidden_text"),
    "selectors": ({"description": "Weather\U000e0101\U000e0142"}, "hidden_text"),
    "zero width": ({"description": "Weather\u200b"}, "hidden_text"),
    "hidden in a schema": (
        {"inputSchema": {"type": "object", "properties": {"city\u2060": {"type": "string"}}}}, "hidden_text"
    ),
    "hidden in what only programs read": ({"_meta": {"a": ["\u2066b"]}}, "hidden_text"),
}  # fmt: skip


@pytest.mark.parametrize(("lie", "fault"), LIES.values(), ids=LIES)
def test_it_is_kept_and_never_served(lie: dict[str, Any], fault: str) -> None:
    backend = mcp_backend()
    says(backend, tool(**lie), tool("erase"))
    approve_opened(operations=[opening(backend)], actor=None)
    assert listed() == ["erase"]
    found = Definition.objects.exclude(name="erase").get()
    assert (found.state, found.fault) == (State.FAULTY, fault)
    assert fault_words(found)
    with pytest.raises(ValidationError):
        approve(definition=found, digest="", actor=None, note="Please")


@pytest.mark.parametrize("value", [None, [], {}, {"name": 7}, {"name": ""}, {"name": "a\0"}, {"name": "n" * 501}])
def test_what_has_no_name_is_not_kept(value: object) -> None:
    assert found_of("tool", value) is None


def test_words_of_every_script_and_emoji_pass() -> None:
    backend = mcp_backend()
    says(backend, tool(description="Wetter für morgen 🌦️ 👩‍👩‍👧 آب‌وهوا 天気\n\t- 1"))
    assert definition().state is State.WAITING


def test_of_two_with_one_name_neither_is_served() -> None:
    backend = mcp_backend()
    says(backend, tool())
    approve_opened(operations=[opening(backend)], actor=None)
    says(backend, tool(description="Another one."), tool())
    assert (listed(), definition().fault) == ([], "duplicate")
    says(backend, tool())
    assert listed() == ["forecast"]


def test_ten_thousand_tools() -> None:
    backend = mcp_backend()
    tools = [tool(f"tool-{number}") for number in range(10_000)]
    says(backend, *tools)
    approve_opened(operations=[opening(backend, "tool-0"), opening(backend, "tool-1")], actor=None)
    says(backend, *tools[1:], tool("tool-0", description="Changed."))
    assert listed() == ["tool-1"]
    assert Definition.objects.filter(Definition.in_state(State.WAITING)).count() == 9_998


@pytest.mark.parametrize("uri", ["cities", "weather://a b", "weather://é", "javascript", "a:" + "b" * 490])
def test_a_resource_needs_a_uri(uri: str) -> None:
    backend = mcp_backend()
    says(backend, resource={"uri": uri, "name": "cities"})
    assert definition(uri).fault == "name"
