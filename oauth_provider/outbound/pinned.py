"""Connections of one fetch: only to the addresses that were checked, and none of it beyond the deadline."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import httpcore

from oauth_provider.outbound import network

Result = TypeVar("Result")
_Resolved = list[str] | OSError | UnicodeError


class TlsError(httpcore.ConnectError):
    """TLS was not spoken, or the certificate is not for that name or from nobody we trust."""


class Deadline:
    """The moment at which everything about one fetch must be over."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left_s(self) -> float:
        """Seconds that are left.

        Raises:
            httpcore.TimeoutException: none are.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException
        return left


def resolve(host: str, port: int, *, deadline: Deadline) -> list[str]:
    """The addresses of `host`; a resolver that does not answer is not waited for.

    Raises:
        OSError, UnicodeError: it has none.
        httpcore.TimeoutException: the deadline passed.
    """
    answers: queue.SimpleQueue[_Resolved] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(network.resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left_s())
    except queue.Empty:
        raise httpcore.TimeoutException from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class PinnedNetwork(httpcore.NetworkBackend):
    """Connects to one of `addresses`, whatever name it is asked for; TLS and Host keep the name."""

    def __init__(self, addresses: list[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """The first address that takes a connection; the time left is shared between those not tried yet.

        Raises:
            httpcore.ConnectError, httpcore.TimeoutException: none does.
        """
        del host, timeout, local_address, socket_options
        fault: OSError = OSError("no address")
        for tried, address in enumerate(self._addresses):
            share_s = self._deadline.left_s() / (len(self._addresses) - tried)
            try:
                return _Stream(network.connect(address, port, timeout_s=share_s), self._deadline)
            except OSError as error:
                fault = error
        if isinstance(fault, TimeoutError):
            raise httpcore.ConnectTimeout from fault
        raise httpcore.ConnectError from fault


class _Stream(httpcore.NetworkStream):
    """A socket whose every operation ends with the deadline, however little each byte waits for the next."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At most `max_bytes`, empty at the end."""
        del timeout
        self._socket.settimeout(self._deadline.left_s())
        return _translated(lambda: self._socket.recv(max_bytes))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it."""
        del timeout
        self._socket.settimeout(self._deadline.left_s())
        _translated(lambda: self._socket.sendall(buffer))

    def close(self) -> None:
        """At once."""
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """TLS for `server_hostname`, whose certificate must be for it.

        Raises:
            TlsError, httpcore.TimeoutException: there is none.
        """
        del timeout
        self._socket.settimeout(self._deadline.left_s())
        try:
            wrapped = _translated(lambda: ssl_context.wrap_socket(self._socket, server_hostname=server_hostname))
        except httpcore.NetworkError as error:
            raise TlsError from error
        finally:
            # Wrapping took the descriptor over, or failed
            self.close()
        return _Stream(wrapped, self._deadline)

    def get_extra_info(self, info: str) -> None:
        """Nothing: no connection is used twice."""
        del info


def _translated(act: Callable[[], Result]) -> Result:
    try:
        return act()
    except TimeoutError as error:
        raise httpcore.TimeoutException from error
    except OSError as error:
        raise httpcore.NetworkError from error
