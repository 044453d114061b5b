"""The transport for the few targets that hyper would rewrite: httpcore, one connection for one call.

The URL type under hyper sends `'` in a query as `%27`, and a query has to arrive as it was sent.
"""

from collections.abc import AsyncIterator
from contextlib import suppress

import httpcore

from proxy.catalogue.snapshot import BackendPlan
from proxy.refusals import BackendNonsense, BackendUnreachable, DeadlinePassed
from proxy.upstream.egress import pinned_address
from proxy.upstream.transport import Headers, UpstreamRequest


class ExactResponse:
    """An answer on a connection that nothing else will use."""

    __slots__ = ("_chunks", "_pool", "_response", "headers", "status")

    def __init__(self, pool: httpcore.AsyncConnectionPool, response: httpcore.Response) -> None:
        self._pool = pool
        self._response = response
        self._chunks: AsyncIterator[bytes] = response.aiter_stream().__aiter__()
        self.status = response.status
        self.headers: Headers = tuple(
            (name.decode(), value.decode()) for name, value in response.headers if name.isascii() and value.isascii()
        )

    async def read(self) -> bytes:
        """The next bytes of the body, b"" at its end."""
        try:
            return await anext(self._chunks, b"")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise BackendNonsense(reason="backend_body_broken") from None

    async def aclose(self) -> None:
        """Close the connection."""
        with suppress(httpcore.NetworkError, httpcore.ProtocolError):
            await self._response.aclose()
        await self._pool.aclose()


class ExactTransport:
    """Connects to the address that was checked; SNI, certificate and Host keep the name."""

    def __init__(self) -> None:
        self._tls = httpcore.default_ssl_context()

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> ExactResponse:
        """The answer, as soon as its head is there."""
        address = await pinned_address(backend)
        pool = httpcore.AsyncConnectionPool(ssl_context=self._tls, max_keepalive_connections=0)
        try:
            return ExactResponse(pool, await _answer(pool, _build(backend, address, request)))
        except BaseException:
            await pool.aclose()
            raise


async def _answer(pool: httpcore.AsyncConnectionPool, request: httpcore.Request) -> httpcore.Response:
    try:
        return await pool.handle_async_request(request)
    except httpcore.ConnectTimeout:
        raise DeadlinePassed(reason="connect_timeout") from None
    except httpcore.ConnectError:
        raise BackendUnreachable from None
    except (httpcore.NetworkError, httpcore.ProtocolError):
        raise BackendNonsense from None


def _build(backend: BackendPlan, address: str, request: UpstreamRequest) -> httpcore.Request:
    base = backend.base
    headers = [(b"host", base.authority.encode())]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in request.headers]
    if isinstance(request.body, AsyncIterator) and not any(name == b"content-length" for name, _value in headers):
        headers.append((b"transfer-encoding", b"chunked"))
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=base.scheme.encode(), host=address.encode(), port=base.port, target=request.target.encode("latin-1")
        ),
        headers=headers,
        content=request.body,
        extensions={"sni_hostname": base.host, "timeout": {"connect": backend.connect_timeout_s}},
    )
