"""Bytes on a socket, and the answers that come back: no HTTP library corrects what an attacker writes."""

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer as read from the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def head(method: str, target: str, *headers: str) -> bytes:
    """A request head; every header line is written as it is given."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", *headers, "", ""]).encode("latin-1")


def authority(issuer: str) -> str:
    """The Host of `issuer`."""
    return urlsplit(issuer).netloc


def send(issuer: str, *pieces: bytes, wait_s: float = 10.0) -> list[Answer]:
    """Write `pieces` on one connection and read answers until it is closed, or silent for a fifth of a second.

    An empty list means that the server closed the connection without answering.
    """
    host, port = authority(issuer).split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=wait_s) as wire:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                wire.sendall(piece)
        deadline = time.monotonic() + wait_s
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while time.monotonic() < deadline:
                wire.settimeout(0.2 if received else deadline - time.monotonic())
                data = wire.recv(65536)
                if not data:
                    break
                received += data
    return _parse(received)


def _parse(received: bytes) -> list[Answer]:
    answers = []
    while b"\r\n\r\n" in received:
        top, _, rest = received.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body, received = _body(headers, rest)
        answers.append(Answer(status=int(lines[0].split(" ")[1]), headers=headers, body=body))
    return answers


def _body(headers: dict[str, str], rest: bytes) -> tuple[bytes, bytes]:
    if "chunked" not in headers.get("transfer-encoding", ""):
        length = int(headers.get("content-length", "0"))
        return rest[:length], rest[length:]
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        body, rest = body + rest[:length], rest[length + 2 :]
        if length == 0:
            break
    return body, rest
