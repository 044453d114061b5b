"""What the tests of the data plane share: a backend made of bytes."""

from collections.abc import AsyncIterator

import pytest

from tests.proxy.raw_backend import RawBackend


@pytest.fixture
async def backend() -> AsyncIterator[RawBackend]:
    """A backend that answers 200 until told otherwise."""
    async with RawBackend.listening() as started:
        yield started
