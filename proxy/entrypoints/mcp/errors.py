"""What goes wrong between a message and its method, as JSON-RPC tells it (JSON-RPC 2.0 section 5.1).

    RpcError
    |- ParseError -32700
    |- InvalidRequest -32600
    |- MethodNotFound -32601
    |- InvalidParams -32602
    |  `- ResourceNotFound -32602 (-32002 before 2026-07-28)
    |- HeaderMismatch -32020
    |- UnsupportedVersion -32022
    |- Refused -32603
    `- UpstreamError, with the code that a server behind this one gave

The HTTP status is that of revision 2026-07-28; earlier revisions leave it to the server, but for the versions (400).
"""

from typing import ClassVar

from proxy.refusals import Headers


class RpcError(Exception):
    """The message has no result. `data` and `headers` go out with the error, `reason` is a slug for the ledger."""

    code: int = -32600
    reason: ClassVar[str] = "rpc_invalid_request"
    status: int = 400
    # To a client of an earlier revision 404 says that its session is over
    handshake_status: ClassVar[int] = 400
    handshake_code: ClassVar[int | None] = None

    def __init__(self, message: str, *, data: object = None, headers: Headers = ()) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        self.headers = headers


class ParseError(RpcError):
    """The body is no JSON."""

    code = -32700
    reason = "rpc_parse_error"


class InvalidRequest(RpcError):
    """JSON, but not one message."""

    code = -32600
    reason = "rpc_invalid_request"


class MethodNotFound(RpcError):
    """Nothing here answers to that name."""

    code = -32601
    reason = "rpc_method_not_found"
    status = 404
    handshake_status = 200


class InvalidParams(RpcError):
    """The method cannot run with these."""

    code = -32602
    reason = "rpc_invalid_params"
    handshake_status = 200


class ResourceNotFound(InvalidParams):
    """Nothing has that URI."""

    reason = "rpc_resource_not_found"
    handshake_code = -32002


class HeaderMismatch(RpcError):
    """A header is missing or says something else than the body."""

    code = -32020
    reason = "rpc_header_mismatch"


class UnsupportedVersion(RpcError):
    """A revision nobody here speaks."""

    code = -32022
    reason = "rpc_unsupported_version"


class Refused(RpcError):
    """What would be a refusal over REST, of a method whose result cannot say so."""

    code = -32603
    reason = "rpc_refused"
    status = 200
    handshake_status = 200
