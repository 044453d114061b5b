"""The same for the data plane, which waits for no database on its event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from django.db import DatabaseError, connection

from proxy.ended_sessions.keep import end, is_ended
from proxy.refusals import Unavailable

T = TypeVar("T")


class EndedSessions:
    """As one process asks for them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="ended-sessions")

    async def aclose(self) -> None:
        """End the threads."""
        await asyncio.to_thread(self._pool.shutdown)

    async def end(self, digest: str, *, until: float) -> None:
        """Every worker knows it once this returns; `until` is in seconds since the epoch.

        Raises:
            Unavailable: the database does not answer.
        """
        await self._stored(end, digest=digest, until=datetime.fromtimestamp(until, UTC))

    async def has(self, digest: str) -> bool:
        """Whether that session was ended.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._stored(is_ended, digest=digest)

    async def _stored(self, verb: Callable[..., T], **arguments: object) -> T:
        def work() -> T:
            try:
                return verb(**arguments)
            finally:
                connection.close()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except DatabaseError:
            raise Unavailable(reason="session_store_down") from None
