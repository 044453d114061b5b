"""Notices that a client has left while its call is under way, or takes nothing of its answer, and cancels the call."""

import asyncio

from proxy.entrypoints.asgi_types import Message, Receive, Send
from proxy.entrypoints.body import RequestBody

# Most calls are over by then; only longer ones pay for a task that listens for the client's leaving
WATCH_AFTER_S = 0.05
# How long a piece of an answer may wait to be taken: whoever reads nothing would hold its place at the backend for ever
TAKEN_WITHIN_S = 30.0


class ConnectionBroken(Exception):
    """Raised to the server: the answer has begun and cannot be completed, so the connection must not look complete."""


class ClientWatch:
    """Cancels the task it is made in when the client leaves; `gone` tells whether it did.

    One that `stalled`, what is sent through `send` being not taken, counts as gone: its connection is to be broken.
    """

    def __init__(self, receive: Receive, send: Send, body: RequestBody) -> None:
        self.gone = self.stalled = False
        self._receive = receive
        self._to_client = send
        self._is_stream = False
        self._body = body
        self._call = asyncio.current_task()
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._start)

    async def send(self, message: Message) -> None:
        """Send on; what follows a first piece waits for the client, but not for ever."""
        self._is_stream = self._is_stream or message.get("more_body", False)
        if not self._is_stream:
            # The server takes a head, or all of an answer, at once
            await self._to_client(message)
            return
        try:
            async with asyncio.timeout(TAKEN_WITHIN_S):
                await self._to_client(message)
        except TimeoutError:
            self.gone = self.stalled = True
            if self._call is not None and self._call is not asyncio.current_task():
                self._call.cancel()
            raise asyncio.CancelledError from None

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
