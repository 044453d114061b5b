"""An event stream, piece by piece (HTML, section 9.2.6: interpreting an event stream)."""

import re
from dataclasses import dataclass
from typing import Final

from proxy.upstream.mcp.faults import AnswerTooLarge

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_DIGITS: Final = re.compile(rb"\A[0-9]{1,9}\Z")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `data` is UTF-8 as it was sent, its lines joined."""

    data: bytes
    kind: str = "message"
    event_id: str = ""


class EventParser:
    """Takes bytes as they arrive and gives the events that are whole; holds `max_bytes` at most of one that is not.

    `last_event_id` and `retry_ms` say from where on, and after how long, to ask for the rest of a stream that ended.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # Of the line that has no end yet
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._kind = self._event_id = b""
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._is_first_line = True
        self._ended_in_cr = False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that `piece` completes.

        Raises:
            AnswerTooLarge: one of them is larger than `max_bytes`.
        """
        if self._ended_in_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._ended_in_cr = False
        self._ended_in_cr = self._ended_in_cr or piece.endswith(b"\r")
        *ended, rest = _LINE_END.split(piece)
        events = []
        for part in ended:
            self._hold(part)
            line, self._open, self._open_bytes = b"".join(self._open), [], 0
            if event := self._read(line):
                events.append(event)
        self._hold(rest)
        return events

    def _hold(self, part: bytes) -> None:
        if part:
            self._open.append(part)
            self._open_bytes += len(part)
        if self._open_bytes + self._data_bytes > self._max_bytes:
            raise AnswerTooLarge

    def _read(self, line: bytes) -> Event | None:
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._whole()
        # A comment has an empty name
        name, _colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif name == b"event":
            self._kind = value
        elif name == b"id" and b"\0" not in value:
            self._event_id = value
        elif name == b"retry" and _DIGITS.match(value):
            self.retry_ms = int(value)
        return None

    def begin_again(self) -> None:
        """Forget the event that was not whole: another stream goes on after the last one that was."""
        self._open, self._open_bytes, self._data, self._data_bytes = [], 0, [], 0
        self._kind, self._event_id = b"", self.last_event_id.encode()
        self._is_first_line, self._ended_in_cr = True, False

    def _whole(self) -> Event | None:
        data, kind = b"\n".join(self._data), self._kind
        self._data, self._data_bytes, self._kind = [], 0, b""
        self.last_event_id = self._event_id.decode(errors="replace")
        if not data:
            return None
        return Event(data, kind.decode(errors="replace") or "message", self.last_event_id)
