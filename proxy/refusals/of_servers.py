"""5xx: we, or the backend, could not."""

from proxy.refusals.refusal import Refusal


class Crash(Refusal):
    """A fault of ours; what it was stands in the log under the request id."""

    reason = "crash"


class NotImplementedMethod(Refusal):
    """A method this server speaks nowhere (RFC 9110 section 15.6.2)."""

    status = 501
    error = "not_implemented"
    reason = "unknown_method"
    title = "Not implemented"
    detail = "This server does not know the method."


class BackendFault(Refusal):
    """The backend could not be used."""

    status = 502
    error = "backend_unreachable"
    reason = "backend_unreachable"
    title = "Backend fault"
    detail = "The service behind the gateway could not be reached."


class BackendUnreachable(BackendFault):
    """No connection."""


class BackendRefusedByGuard(BackendFault):
    """The name leads to an address that is never called."""

    error = "backend_address_refused"
    reason = "backend_address_refused"


class BackendTokenRefused(BackendFault):
    """The gateway gets no token of its own to show the backend, and will not get one by asking again."""

    error = "backend_credential_refused"
    reason = "backend_token_refused"
    detail = "The gateway is not let in by the service behind it."


class BackendNonsense(BackendFault):
    """An answer that is not HTTP, or ended early."""

    error = "backend_protocol_error"
    reason = "backend_protocol_error"
    detail = "The service behind the gateway sent an answer that cannot be read."


class ToolResultTooLarge(BackendNonsense):
    """More than the result of a tool may have."""

    reason = "result_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The service answered with more than {limit} bytes, too many for the result of a tool.")


class AnswerTooLarge(BackendFault):
    """More than staff allow of this backend."""

    error = "backend_answer_too_large"
    reason = "backend_answer_too_large"
    detail = "The service behind the gateway sent more than it may."


class BackendClosed(BackendNonsense):
    """The connection ended before a byte of an answer."""

    reason = "backend_closed"


class Unavailable(Refusal):
    """503: worth another try."""

    status = 503
    error = "temporarily_unavailable"
    reason = "unavailable"
    title = "Temporarily unavailable"
    detail = "The gateway cannot take this call now; try again."

    def __init__(self, detail: str = "", *, reason: str = "", retry_after_s: int = 1) -> None:
        super().__init__(detail, reason=reason, headers=(("retry-after", str(retry_after_s)),))


class AuditUnavailable(Unavailable):
    """What cannot be recorded is not done."""

    error = "audit_unavailable"
    reason = "audit_unavailable"
    detail = "The call could not be recorded and was not carried out."


class RevocationsUnknown(Unavailable):
    """Nobody can say whether a credential is still good."""

    reason = "revocations_unknown"


class IssuerUnavailable(Unavailable):
    """The keys of an external issuer cannot be had, so nobody can say whether its token is good."""

    reason = "issuer_keys_unavailable"
    detail = "The token cannot be checked now, because its issuer does not answer; try again."


class BreakerOpen(Unavailable):
    """The backend has failed several times in a row and is left alone for a while."""

    error = "backend_unavailable"
    reason = "breaker_open"
    detail = "The service behind the gateway does not answer at the moment; try again later."


class BackendTokenUnavailable(Unavailable):
    """The server that gives the gateway its own token for the backend does not answer."""

    error = "backend_unavailable"
    reason = "backend_token_unavailable"
    detail = "The service behind the gateway cannot be used at the moment; try again later."


class Overloaded(Unavailable):
    """Every connection to this backend is busy, or the process has as much to do as it can."""

    error = "overloaded"
    reason = "overloaded"


class DeadlinePassed(Refusal):
    """The backend did not answer within the time of the call."""

    status = 504
    error = "backend_timeout"
    reason = "backend_timeout"
    title = "Backend timeout"
    detail = "The service behind the gateway did not answer in time."


class ConnectTimeout(DeadlinePassed):
    """Nobody took the connection in time; nothing was sent."""

    reason = "connect_timeout"


class VersionNotSupported(Refusal):
    """Neither HTTP/1.0 nor HTTP/1.1."""

    status = 505
    error = "http_version_not_supported"
    reason = "http_version"
    title = "HTTP version not supported"
    detail = "This server speaks HTTP/1.1."


class LoopDetected(Refusal):
    """The request has passed through this gateway before (RFC 9110 section 7.6.3)."""

    status = 508
    error = "loop_detected"
    reason = "loop_detected"
    title = "Loop detected"
    detail = "The request has already passed through this gateway."
