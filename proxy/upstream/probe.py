"""Ask a backend for its base URL, as the data plane would reach it, and say in plain words what is wrong."""

import asyncio
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
from django.conf import settings
from django.utils.translation import gettext_noop as _

from oauth_provider.keys.encryption import Undecipherable
from oauth_provider.outbound.addresses import AddressRefused
from proxy.catalogue.addresses import BadUpstreamUrl, UpstreamBase, parse_upstream_url
from proxy.catalogue.models import Backend
from proxy.catalogue.tls import BadPem
from proxy.upstream.egress import NameUnresolved, resolve

AT_ONCE = 16
ANSWER_WITHIN_S = 10.0
FAILED = _("It is there, but failed with %(status)s: look at its own log.")
# The first that fits
ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (
        Undecipherable,
        _("Its client key cannot be opened with the present ENCRYPTION_KEYS: give it again in the admin."),
    ),
    (BadPem, _("Its certificates cannot be used: paste them again in the admin.")),
    (NameUnresolved, _("Its name has no address: check the spelling, and the DNS of this machine.")),
    (AddressRefused, _("Its name leads to a private address: if it is yours, tick “internal address” in the admin.")),
    (httpx.ConnectTimeout, _("Nobody took the connection in time: check the address, and any firewall in between.")),
    (httpx.ConnectError, _("Nothing listens there: start the service, or correct the port.")),
    (httpx.TimeoutException, _("It took the connection but did not answer in time: look at its own log.")),
    (TimeoutError, _("It took the connection but did not answer in time: look at its own log.")),
    (httpx.TransportError, _("It did not answer as an HTTP server does: check scheme and port.")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one backend answered. `advice` is "" when there is nothing to do; `status` of 0 means no answer."""

    backend: str
    url: str
    reachable: bool
    status: int = 0
    latency_ms: float = 0.0
    advice: str = ""


async def probe_all(backends: Iterable[Backend]) -> list[Probe]:
    """Probe every one of `backends`, several at once, in their order."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(backend: Backend) -> Probe:
        async with turns:
            return await probe(backend)

    return await asyncio.gather(*(in_turn(backend) for backend in backends))


async def probe(backend: Backend) -> Probe:
    """GET the base URL without any credential: an answer of whatever status shows that the backend is there."""
    try:
        # Made once in a process, in longer than most backends need to answer: their time begins after it
        context = backend.tls_context()
        started = time.monotonic()
        base = parse_upstream_url(backend.upstream_url, own_origin=settings.PUBLIC_BASE_URL)
        addresses = await resolve(base.host, base.port, allow_private=backend.allow_private)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            status = await _get_from_any(backend, base, addresses, context)
    except (
        BadUpstreamUrl, BadPem, Undecipherable, NameUnresolved, AddressRefused, TimeoutError, httpx.TransportError
    ) as fault:  # fmt: skip
        return Probe(backend=backend.name, url=backend.upstream_url, reachable=False, advice=_advice(backend, fault))
    return Probe(
        backend=backend.name,
        url=backend.upstream_url,
        reachable=True,
        status=status,
        latency_ms=round((time.monotonic() - started) * 1000, 1),
        advice=FAILED % {"status": status} if status >= 500 else "",
    )


async def _get_from_any(backend: Backend, base: UpstreamBase, addresses: list[str], context: ssl.SSLContext) -> int:
    # A name may have addresses that nobody serves, ::1 beside 127.0.0.1 for one
    *others, last = addresses
    for address in others:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await _get(backend, base, address, context)
    return await _get(backend, base, last, context)


async def _get(backend: Backend, base: UpstreamBase, address: str, context: ssl.SSLContext) -> int:
    # The checked address is connected to; Host and TLS keep the name, and nothing of the environment counts
    host = f"[{address}]" if ":" in address else address
    timeout = httpx.Timeout(backend.timeout_ms / 1000, connect=backend.connect_timeout_ms / 1000)
    async with (
        httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False, verify=context) as client,
        client.stream(
            "GET",
            f"{base.scheme}://{host}:{base.port}{base.path or '/'}",
            headers={"host": base.authority, "user-agent": "gatehouse"},
            extensions={"sni_hostname": base.host},
        ) as answer,
    ):
        return answer.status_code


def _advice(backend: Backend, fault: Exception) -> str:
    if isinstance(fault, BadUpstreamUrl):
        return _("Correct the upstream URL in the admin.")
    if isinstance(fault, AddressRefused) and backend.allow_private:
        return _("Its name leads to a link-local or metadata address, which is never called.")
    if any(isinstance(cause, ssl.SSLError) for cause in _causes(fault)):
        return _(
            "TLS failed: check that this port speaks it, with a valid certificate for this name from whom you trust."
        )
    return next((advice for kind, advice in ADVICE if isinstance(fault, kind)), "")


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
