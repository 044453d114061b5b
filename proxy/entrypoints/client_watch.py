"""Notices that a client has left while its call is under way, and cancels the call."""

import asyncio

from proxy.entrypoints.asgi_types import Receive
from proxy.entrypoints.body import RequestBody

# Most calls are over by then; only longer ones pay for a task that listens for the client's leaving
WATCH_AFTER_S = 0.05


class ClientWatch:
    """Cancels the task it is made in when the client leaves; `gone` tells whether it did."""

    def __init__(self, receive: Receive, body: RequestBody) -> None:
        self.gone = False
        self._receive = receive
        self._body = body
        self._call = asyncio.current_task()
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._start)

    def stop(self) -> None:
        """The call is over."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        # Until the body is in, whoever reads it hears of the leaving
        await self._body.finished.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._call is not None:
            self._call.cancel()
