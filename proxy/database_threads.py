"""Threads that ask the database for the data plane, which waits for none on its event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, connection

from proxy.refusals import Unavailable

T = TypeVar("T")


class DatabaseThreads:
    """A few of them; `reason` is that of the refusal when the database does not answer."""

    def __init__(self, count: int, *, name: str, reason: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._reason = reason

    async def aclose(self) -> None:
        """End them."""
        await asyncio.to_thread(self._pool.shutdown)

    async def run(self, verb: Callable[..., T], **arguments: object) -> T:
        """What `verb` returns, on one of them; the connection is given back with it.

        Raises:
            Unavailable: the database does not answer.
        """

        def work() -> T:
            try:
                return verb(**arguments)
            finally:
                connection.close()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except DatabaseError:
            raise Unavailable(reason=self._reason) from None
