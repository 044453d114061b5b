"""Django behind ASGI: one step into a thread for a request instead of one for each middleware, and threads that stay.

Nothing of the control plane is asynchronous. Django's own handler runs what middleware does in a thread each time it
comes by, there and back, and starts two threads for each request: a quarter of what a token costs.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase
from typing_extensions import override

# As many as the pool has connections to PostgreSQL; more are started for a crowd, and end with it
KEPT_THREADS = 16
# Requests that are worked on at the same time. More get no more done, because all share one interpreter with the event
# loop: each only makes it wait longer for its turn, and with it every call
TURNS = 8
# Whoever waited so long goes on without one: those before wait for somebody else then, such as the slow host of a
# client's document, and not for the interpreter
TURN_WITHIN_S = 0.5


class ControlPlane(ASGIHandler):
    """Every middleware and every view in the thread of its request, which no other request has meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._turns = asyncio.Semaphore(TURNS)
        self._idle: list[ThreadPoolExecutor] = []

    @override
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # django-stubs types them with dict
        """ASGI 3, HTTP only."""
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, thread_name_prefix="control-plane")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self._idle) < KEPT_THREADS:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)

    @override
    def load_middleware(self, is_async: bool = False) -> None:
        """Always the synchronous chain."""
        del is_async
        super().load_middleware(is_async=False)

    @override
    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, from one call in the thread; Django's own log of refusals is written there too."""
        async with self._turn():
            response: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return response

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(TURN_WITHIN_S):
                await self._turns.acquire()
        except TimeoutError:
            yield
            return
        try:
            yield
        finally:
            self._turns.release()


def control_plane() -> Any:  # noqa: ANN401 - django-stubs types the handler with dict, where ASGI says mapping
    """The application, with Django set up."""
    django.setup(set_prefix=False)
    return ControlPlane()
