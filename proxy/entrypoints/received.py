"""From the server's words to a call of ours."""

import asyncio

from proxy.entrypoints.asgi_types import Scope
from proxy.entrypoints.body import RequestBody
from proxy.pipeline.call import Received


def received_from(scope: Scope, body: RequestBody) -> Received:
    """The call of `scope` with its `body`, as it begins now; the front door has looked at both."""
    state = scope["state"]
    return Received(
        method=scope["method"],
        path=scope["raw_path"],
        query=scope["query_string"],
        headers=tuple(scope["headers"]),
        body=body,
        request_id=state["request_id"],
        address=state["address"],
        started=asyncio.get_running_loop().time(),
    )
