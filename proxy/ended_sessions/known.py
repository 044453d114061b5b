"""The same for the data plane, which waits for no database on its event loop."""

from datetime import UTC, datetime

from proxy.database_threads import DatabaseThreads
from proxy.ended_sessions.keep import end, is_ended


class EndedSessions:
    """As one process asks for them."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads(2, name="ended-sessions", reason="session_store_down")

    async def aclose(self) -> None:
        """End the threads."""
        await self._threads.aclose()

    async def end(self, digest: str, *, until: float) -> None:
        """Every worker knows it once this returns; `until` is in seconds since the epoch.

        Raises:
            Unavailable: the database does not answer.
        """
        await self._threads.run(end, digest=digest, until=datetime.fromtimestamp(until, UTC))

    async def has(self, digest: str) -> bool:
        """Whether that session was ended.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._threads.run(is_ended, digest=digest)
