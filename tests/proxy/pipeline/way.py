"""The way of an allowed call to one backend, and what the backend reads of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth_provider.keys.signing import LoadedKey
from proxy.catalogue.plans import BackendPlan
from proxy.pipeline.call import Answer, Constrained, Principal, Received, Validated
from proxy.pipeline.route import route
from proxy.pipeline.transform import transform
from proxy.upstream.pool import PooledTransport
from proxy.upstream.transport import Transport
from tests.proxy.plans import ANA, backend_plan, identified, operation_plan, received
from tests.proxy.raw_backend import RawBackend

KEY = LoadedKey(kid="k1", private=ec.generate_private_key(ec.SECP256R1()), signs_from=0.0)
LIMIT_HEADERS = (("ratelimit", '"default";r=2;t=60'),)


@pytest.fixture
async def transport() -> AsyncIterator[PooledTransport]:
    """The real way out."""
    made = PooledTransport()
    yield made
    await made.aclose()


class Way:
    """Routes calls to one backend."""

    def __init__(self, transport: Transport, backend: RawBackend) -> None:
        self._transport = transport
        self.backend = backend

    def plan(self, **changes: Any) -> BackendPlan:
        """The backend as the catalogue has it."""
        return backend_plan(f"{self.backend.url}/careers", **changes)

    async def call(
        self,
        request: Received | None = None,
        *,
        principal: Principal = ANA,
        plan: BackendPlan | None = None,
        mode: str = "oauth",
        key: LoadedKey | None = KEY,
        late_s: float = 0.0,
    ) -> Answer:
        """Route one call that arrived `late_s` ago."""
        request = replace(request or received(), started=asyncio.get_running_loop().time() - late_s)
        there = identified(request, plan or self.plan(), principal, signing_keys=(key,) if key else ())
        validated = Validated(transform(there, traceparent=""), operation_plan(auth_mode=mode))
        return await route(Constrained(validated, LIMIT_HEADERS), self._transport)

    async def whole(self, request: Received | None = None, **changes: object) -> tuple[Answer, bytes]:
        """The same, with the body."""
        routed = await self.call(request, **changes)  # type: ignore[arg-type]
        content = b""
        try:
            while piece := await routed.stream.read():
                content += piece
        finally:
            await routed.stream.aclose()
        return routed, content


@pytest.fixture
def way(transport: PooledTransport, backend: RawBackend) -> Way:
    """To the backend of the test."""
    return Way(transport, backend)


def claims(assertion: str) -> dict[str, object]:
    """What a backend reads in an assertion, once verified."""
    return jwt.decode(assertion, ECKey.import_key(KEY.private.public_key()), algorithms=["ES256"]).claims
