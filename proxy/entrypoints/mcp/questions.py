"""What a server behind this one asks while it is listened to: of the client in its session, or answered for it."""

from typing import Final

from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject
from proxy.entrypoints.mcp.session import Question, seal
from proxy.entrypoints.mcp.upstream_call import UpstreamCall
from proxy.refusals import BackendNonsense

# What clients of an earlier revision can be asked, by the capability that says so
ASKED: Final = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}


async def is_put(document: JsonObject, exchange: Exchange, upstream: UpstreamCall) -> bool:
    """Put the request `document` to the client under a sealed id, and tell whether it was; else answer it.

    Raises:
        BackendNonsense: it is no request, or one too many.
    """
    upstream.count_request()
    session, method, request_id = exchange.session, document["method"], document["id"]
    if isinstance(request_id, bool) or not isinstance(request_id, str | int) or not isinstance(method, str):
        raise BackendNonsense(reason="mcp_unreadable")
    reply: JsonObject = {"jsonrpc": "2.0", "id": request_id}
    if method == "ping":
        await upstream.tell(reply | {"result": {}})
    elif session and exchange.stream.is_open and ASKED.get(method, method) in session.capabilities:
        question = Question(session.upstream_id, session.version, request_id)
        params = {"params": document["params"]} if isinstance(document.get("params"), dict) else {}
        sealed = seal(question, exchange.caller)
        await exchange.stream.tell({"jsonrpc": "2.0", "id": sealed, "method": method, **params})
        return True
    else:
        error = {"code": -32601, "message": "The client does not take this request."}
        await upstream.tell(reply | {"error": error})
    return False
