"""Long answers in parts, each of which can be read by itself."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.entrypoints.mcp.parts import TEXT_MAX, NoSuchPart, Part, Position, part_of_json, part_of_text, position

LONG = "x" * 900


def json_part(value: Any, at: Position | None = None) -> Part:
    return part_of_json(value, json.dumps(value), at=at)


def test_what_fits_is_left_as_it_was_sent() -> None:
    part = part_of_json({"a": 1}, '{ "a": 1 }', at=None)
    assert (part.text, part.value, part.is_whole) == ('{ "a": 1 }', {"a": 1}, True)


def test_what_fits_without_its_spaces_is_whole() -> None:
    rows = [{"name": "x"}] * 6000
    part = part_of_json(rows, json.dumps(rows, indent=8), at=None)
    assert part.is_whole
    assert json.loads(part.text) == rows


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([LONG] * 300, ()),
        ({"rows": [{"name": LONG}] * 300, "total": 300, "others": [1, 2]}, ("rows",)),
        ({"data": {"items": [LONG] * 300}}, ("data", "items")),
        ([{"rows": [LONG] * 300}], (0, "rows")),
    ],
)
def test_the_longest_array_is_cut_between_its_elements(document: Any, path: tuple[str | int, ...]) -> None:
    def at_path(value: Any) -> Any:
        for name in path:
            value = value[name]
        return value

    read: list[Any] = []
    at = None
    while True:
        part = json_part(document, at)
        assert len(part.text) <= TEXT_MAX
        assert json.loads(part.text) == part.value
        assert part.start == len(read)
        read += at_path(part.value)
        at = part.end
        if at is None:
            break
    assert read == at_path(document)


@pytest.mark.parametrize(
    "document", [{"text": "y" * 250_000}, {"a": {"b": "y" * 250_000}}, ["y" * 250_000], "y" * 250_000]
)
def test_what_has_no_such_array_is_cut_as_text(document: Any) -> None:
    text, at = "", None
    while at or not text:
        part = json_part(document, at)
        assert part.value is None
        text += part.text
        at = part.end
    assert json.loads(text) == document


def test_a_text_is_cut_after_a_line() -> None:
    first = part_of_text("a line\n" * 20_000, at=None)
    assert first.text.endswith("a line\n")
    assert TEXT_MAX - 10 < len(first.text) <= TEXT_MAX
    assert part_of_text("a line\n" * 20_000, at=first.end).start == len(first.text)


def test_an_answer_that_has_changed_says_so() -> None:
    first = json_part([LONG] * 300)
    later = json_part([LONG] * 301, first.end)
    assert later.changed
    assert "has changed" in later.note(argument="continue_from")
    assert not json_part([LONG] * 300, first.end).changed
    for now in ([LONG] * 50, {"text": "y" * 250_000}, {}):
        with pytest.raises(NoSuchPart):
            json_part(now, first.end)


@given(st.text(max_size=40) | st.from_regex(r"[ec][0-9]{1,12}-[0-9a-f]{16}", fullmatch=True))
def test_a_cursor_is_a_position_or_nothing(cursor: str) -> None:
    found = position(cursor)
    assert found is None or str(found) == cursor


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_document_can_be_cut_and_continued(document: Any) -> None:
    value = {"document": document, "rows": [document] * 3, "padding": ["z" * 30_000] * 5}
    first = json_part(value)
    assert len(first.text) <= TEXT_MAX
    assert first.end
    assert json_part(value, first.end).text
