"""One connection to a gateway, and its answers read one by one, each framed as RFC 9112 has it."""

import contextlib
import socket
import time
from typing import Self

from tests.attacks.table import NotMet
from tests.attacks.wire import Answer

BROKE_OFF = "the answer broke off"


class Conversation:
    """Raw bytes out, answers in."""

    def __init__(self, port: int) -> None:
        self._wire = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._received = b""
        self.is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._wire.close()

    def write(self, *pieces: bytes) -> None:
        """Send; that the other side has hung up is seen when reading."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                self._wire.sendall(piece)

    def finish(self) -> None:
        """Send nothing more (FIN)."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_WR)

    def answer(self, *, within_s: float = 5.0, is_head: bool = False) -> Answer | None:
        """The next answer; None when the connection is closed instead.

        Raises:
            NotMet: neither came in time, or the answer broke off.
        """
        until = time.monotonic() + within_s
        top = self._head(until)
        if top is None:
            return None
        lines = top.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split(" ")[1])
        if status < 200:
            return self.answer(within_s=within_s, is_head=is_head)
        body = b"" if is_head or status in {204, 304} else self._body(headers, until)
        return Answer(status=status, headers=headers, body=body)

    def status(self, *, within_s: float = 5.0) -> int:
        """Of the next answer, whose body may have no end; 0 when the connection is closed instead.

        Raises:
            NotMet: neither came in time.
        """
        top = self._head(time.monotonic() + within_s)
        return int(top.split(b" ", 2)[1]) if top else 0

    def closes(self, *, within_s: float = 3.0) -> bool:
        """Whether the other side hangs up without another answer."""
        with contextlib.suppress(NotMet):
            return self.answer(within_s=within_s) is None
        return False

    def _head(self, until: float) -> bytes | None:
        while b"\r\n\r\n" not in self._received:
            if not self._more(until):
                return None
        top, _, self._received = self._received.partition(b"\r\n\r\n")
        return top

    def _body(self, headers: dict[str, str], until: float) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return self._take(int(headers.get("content-length", "0")), until)
        body = b""
        while size := int(self._line(until).split(b";")[0], 16):
            body += self._take(size, until)
            self._line(until)
        self._line(until)
        return body

    def _line(self, until: float) -> bytes:
        while b"\r\n" not in self._received:
            if not self._more(until):
                raise NotMet(BROKE_OFF)
        line, _, self._received = self._received.partition(b"\r\n")
        return line

    def _take(self, size: int, until: float) -> bytes:
        while len(self._received) < size:
            if not self._more(until):
                raise NotMet(BROKE_OFF)
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    def _more(self, until: float) -> bool:
        self._wire.settimeout(max(0.01, until - time.monotonic()))
        try:
            data = self._wire.recv(1 << 18)
        except TimeoutError:
            raise NotMet("no answer") from None
        except ConnectionResetError:
            data = b""
        self._received += data
        self.is_closed = not data
        return bool(data)
