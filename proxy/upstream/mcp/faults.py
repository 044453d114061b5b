"""What goes wrong between an HTTP answer and the result it should hold.

    McpFault
    |- BadStatus
    |- BadAnswer
    |  `- AnswerTooLarge
    |- NoCommonVersion
    `- RpcFault

That a backend cannot be reached at all is a `Refusal`, as of every backend.
"""

from typing import ClassVar


class McpFault(Exception):
    """The backend did not give a result. `reason` is a slug for the ledger and for those who run the backend."""

    reason: ClassVar[str] = "mcp_fault"


class BadStatus(McpFault):
    """An HTTP status that is no answer, and no JSON-RPC error with it."""

    reason = "mcp_status"

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BadAnswer(McpFault):
    """What came is no JSON-RPC message, or none that answers the request."""

    reason = "mcp_unreadable"


class AnswerTooLarge(BadAnswer):
    """A message, or all of them together, is larger than anybody needs."""

    reason = "mcp_too_large"


class NoCommonVersion(McpFault):
    """It speaks no revision that is spoken here."""

    reason = "mcp_version"


class RpcFault(McpFault):
    """A JSON-RPC error (JSON-RPC 2.0 section 5.1). Its message is the backend's: it is shown to nobody as ours."""

    reason = "mcp_error"

    def __init__(self, code: int, message: str = "", data: object = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.data = data
