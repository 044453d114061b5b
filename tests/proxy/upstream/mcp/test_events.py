"""The parser of event streams: whatever the pieces, the same events, and never more than a bound is held."""

import pytest

from proxy.upstream.mcp.events import Event, EventParser
from proxy.upstream.mcp.faults import AnswerTooLarge

STREAM = (
    b"\xef\xbb\xbf: hello\r\n\r\nid: 7\r\ndata: {\r\ndata:}\r\n\r\n"
    b"event: ping\rdata:  x\r\revent: lost\n\ndata: \xc3\xa9\nretry: 10\n\ndata: never ended"
)
EVENTS = [Event(b"{\n}", event_id="7"), Event(b" x", "ping", "7"), Event("é".encode(), event_id="7")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, len(STREAM)])
def test_the_pieces_make_no_difference(size: int) -> None:
    parser = EventParser(max_bytes=100)
    found = [event for at in range(0, len(STREAM), size) for event in parser.feed(STREAM[at : at + size])]
    assert found == EVENTS


@pytest.mark.parametrize(
    "hostile", [b"data: " + b"x" * 95, b"x" * 101, b"data: 1\n" * 80], ids=["data", "line", "many lines"]
)
@pytest.mark.parametrize("size", [1, 1000])
def test_one_event_is_never_larger_than_the_bound(hostile: bytes, size: int) -> None:
    parser = EventParser(max_bytes=100)
    pieces = [hostile[at : at + size] for at in range(0, len(hostile), size)]
    with pytest.raises(AnswerTooLarge):
        _feed(parser, pieces)


def test_it_says_from_where_on_the_rest_is_wanted() -> None:
    parser = EventParser(max_bytes=100)
    parser.feed(b"id: 7\ndata:\n\nretry: 20\nretry: x\nid: 8\ndata: half")
    assert (parser.last_event_id, parser.retry_ms) == ("7", 20)
    parser.begin_again()
    assert parser.feed(b"\xef\xbb\xbfdata: whole\n\n") == [Event(b"whole", event_id="7")]


def test_a_long_stream_of_small_events_passes_the_bound() -> None:
    parser = EventParser(max_bytes=100)
    assert sum(len(parser.feed(b": still here\n\ndata: 1\n\n")) for _turn in range(1000)) == 1000


def _feed(parser: EventParser, pieces: list[bytes]) -> None:
    for piece in pieces:
        parser.feed(piece)
