"""The transport of the data plane: pyreqwest (hyper), one connection pool for each backend address and trust level."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError, PyreqwestError
from pyreqwest.http import HeaderMap
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from proxy.catalogue.snapshot import BackendPlan
from proxy.refusals import BackendNonsense, BackendUnreachable, DeadlinePassed
from proxy.upstream.egress import pinned_address
from proxy.upstream.transport import Headers, UpstreamRequest

# How long a resolved address is pinned before the name is asked again
PIN_S = 30.0
IDLE_S = 15
FINAL_STATUS = 200
# pyreqwest does not end a call that is cancelled before its answer began: it ends when the backend has been silent for
# the call's time, or for this long, which is beyond the silence that a stream of events is granted
SILENCE_MIN_S = 65.0
PoolKey = tuple[str, str, int, bool, float, float, int]


@dataclass(frozen=True, slots=True)
class _Pool:
    client: Client
    address: str
    until: float


class HyperResponse:
    """An answer on a hyper connection."""

    __slots__ = ("_request", "_response", "headers", "status")

    def __init__(self, request: StreamRequest, response: Response) -> None:
        self._request = request
        self._response = response
        self.status = response.status
        self.headers = _readable(response.headers)

    async def read(self) -> bytes:
        """The next bytes of the body, b"" at its end."""
        try:
            chunk = await self._response.body_reader.read_chunk()
        except PyreqwestError:
            raise BackendNonsense(reason="backend_body_broken") from None
        return b"" if chunk is None else bytes(chunk)

    async def aclose(self) -> None:
        """Let the connection go."""
        with suppress(PyreqwestError):
            await self._request.__aexit__(None, None, None)


class HyperTransport:
    """Connects to the address that was checked; SNI and Host keep the name. Nothing of the environment counts."""

    def __init__(self) -> None:
        self._pools: dict[PoolKey, _Pool] = {}

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> HyperResponse:
        """The answer, as soon as its head is there."""
        key = _pool_key(backend)
        pool = self._pools.get(key)
        if pool is None or pool.until < time.monotonic():
            pool = self._pools[key] = await self._renewed(backend, pool)
        sending = _build(pool.client, backend, request)
        try:
            response = HyperResponse(sending, await sending.__aenter__())
        except ConnectTimeoutError:
            self._pools.pop(key, None)
            raise DeadlinePassed(reason="connect_timeout") from None
        except ConnectError:
            # Perhaps it moved: the next call asks for its address again
            self._pools.pop(key, None)
            raise BackendUnreachable from None
        except PyreqwestError:
            raise BackendNonsense from None
        if response.status < FINAL_STATUS:
            # 101: nobody asked for another protocol
            await response.aclose()
            raise BackendNonsense
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.client.close()

    async def _renewed(self, backend: BackendPlan, pool: _Pool | None) -> _Pool:
        address = await pinned_address(backend)
        until = time.monotonic() + PIN_S
        if pool is not None and pool.address == address:
            return _Pool(client=pool.client, address=address, until=until)
        return _Pool(client=_client(backend, address), address=address, until=until)


def _pool_key(backend: BackendPlan) -> PoolKey:
    base, limits = backend.base, (backend.timeout_s, backend.connect_timeout_s, backend.max_concurrency)
    return (base.scheme, base.host, base.port, backend.allow_private, *limits)


def _client(backend: BackendPlan, address: str) -> Client:
    return (
        ClientBuilder()
        .gzip(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .deflate(enable=False)
        .follow_redirects(enable=False)
        .referer(enable=False)
        .no_proxy()
        .http1_only()
        .http1_lower_case_headers()
        .user_agent("gatehouse")
        .connect_timeout(timedelta(seconds=backend.connect_timeout_s))
        .read_timeout(timedelta(seconds=max(backend.timeout_s, SILENCE_MIN_S)))
        .pool_idle_timeout(timedelta(seconds=IDLE_S))
        .pool_max_idle_per_host(backend.max_concurrency)
        .resolve(backend.base.host, address, backend.base.port)
        .build()
    )


def _build(client: Client, backend: BackendPlan, request: UpstreamRequest) -> StreamRequest:
    base = backend.base
    builder = client.request(request.method, f"{base.scheme}://{base.authority}{request.target}")
    builder = builder.headers(request.headers)
    if isinstance(request.body, bytes):
        builder = builder.body_bytes(request.body)
    elif isinstance(request.body, AsyncIterator):
        builder = builder.body_stream(request.body)
    # Unless told otherwise it waits for 64 KiB, and an event stream would arrive late or never
    return builder.streamed_read_buffer_limit(0).build_streamed()


def _readable(headers: HeaderMap) -> Headers:
    try:
        return tuple(headers.items())
    except ValueError:
        # A value outside ASCII: it alone is left out
        return tuple(pair for name in dict.fromkeys(headers.keys()) for pair in _values(headers, name))


def _values(headers: HeaderMap, name: str) -> Headers:
    try:
        return tuple((name, value) for value in headers.getall(name))
    except ValueError:
        return ()
