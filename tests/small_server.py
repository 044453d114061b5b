"""A small HTTP server of a test's own, on loopback and in threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext

# How soon it sees that it is to end
POLL_S = 0.01


@contextmanager
def answering(
    handler: type[BaseHTTPRequestHandler], *, port: int = 0, tls: SSLContext | None = None
) -> Iterator[ThreadingHTTPServer]:
    """`handler` answers until the block ends, at `port` or one that is free, and writes no log."""
    handler.log_message = _say_nothing  # type: ignore[method-assign,assignment]
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


def _say_nothing(_handler: BaseHTTPRequestHandler, _format: str, *_arguments: object) -> None:
    """In place of a line on standard error for each request."""
