"""Django behind ASGI, with one step into a thread for a request instead of one for each middleware.

Nothing of the control plane is asynchronous. Django's own handler runs what middleware does in a thread each time it
comes by, there and back: fifteen changes of thread for a request, which are a quarter of what a token costs.
"""

from typing import Any

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase
from typing_extensions import override


class ControlPlane(ASGIHandler):
    """Every middleware and every view in the thread of its request."""

    @override
    def load_middleware(self, is_async: bool = False) -> None:
        """Always the synchronous chain."""
        del is_async
        super().load_middleware(is_async=False)

    @override
    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, from one call in the thread; Django's own log of refusals is written there too."""
        response: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return response


def control_plane() -> Any:  # noqa: ANN401 - django-stubs types the handler with dict, where ASGI says mapping
    """The application, with Django set up."""
    django.setup(set_prefix=False)
    return ControlPlane()
