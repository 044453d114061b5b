"""Which transport carries a call: hyper, except for the few targets that it would rewrite."""

from proxy.catalogue.snapshot import BackendPlan
from proxy.upstream.exact import ExactTransport
from proxy.upstream.hyper import HyperTransport
from proxy.upstream.transport import UpstreamRequest, UpstreamResponse

# WHATWG URL, special-query percent-encode set: of what may stand in a query, hyper's URL type changes only these
REWRITTEN = frozenset("'\"<>")


class Transports:
    """Both transports of one process behind the one seam."""

    def __init__(self) -> None:
        self._hyper = HyperTransport()
        self._exact = ExactTransport()

    async def send(self, backend: BackendPlan, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, as soon as its head is there."""
        _path, _separator, query = request.target.partition("?")
        transport = self._hyper if REWRITTEN.isdisjoint(query) else self._exact
        return await transport.send(backend, request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._hyper.aclose()
