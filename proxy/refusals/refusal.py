"""The root of every way the data plane says no."""

from typing import ClassVar

Headers = tuple[tuple[str, str], ...]


class Refusal(Exception):
    """The call ends here. `reason` is a slug for the ledger, `headers` go out with the answer."""

    status: ClassVar[int] = 500
    error: ClassVar[str] = "server_error"
    reason: str = "server_error"
    title: ClassVar[str] = "Something went wrong"
    detail: str = "The gateway could not answer."
    # How often the call was sent to its backend again before
    retries: int = 0

    def __init__(self, detail: str = "", *, reason: str = "", headers: Headers = ()) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.reason = reason or self.reason
        self.headers = headers

    @property
    def members(self) -> dict[str, object]:
        """Further members of the problem document (RFC 9457 section 3.2)."""
        return {}
