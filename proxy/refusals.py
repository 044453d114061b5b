"""Every way the data plane says no: status, wire code, reason for the ledger, public words.

    Refusal
    |- BadRequest 400 invalid_request
    |  `- UnreadablePath 400 invalid_request (ambiguous_path)
    |- Unauthenticated 401
    |  |- MissingCredential unauthenticated
    |  |- MisplacedCredential invalid_request (token in the query)
    |  `- InvalidCredential invalid_token
    |     `- WrongAudience invalid_token
    |- InsufficientScope 403 insufficient_scope
    |- ForeignOrigin 403 foreign_origin
    |- NotRegistered 404 not_found
    |- MethodNotAllowed 405 method_not_allowed
    |- NotAcceptable 406 not_acceptable
    |- RequestTimeout 408 request_timeout
    |- TooLarge 413 content_too_large
    |- UriTooLong 414 uri_too_long
    |- UnsupportedMediaType 415 unsupported_media_type
    |- ExpectationFailed 417 expectation_failed
    |- UpgradeRefused 426 upgrade_refused
    |- HeadersTooLarge 431 header_fields_too_large
    |- RateLimited 429 rate_limited
    |- Crash 500 server_error
    |- NotImplementedMethod 501 not_implemented
    |- BackendFault 502
    |  |- BackendUnreachable backend_unreachable
    |  |- BackendRefusedByGuard backend_address_refused
    |  |- BackendTokenRefused backend_credential_refused
    |  `- BackendNonsense backend_protocol_error
    |     `- BackendClosed backend_protocol_error
    |- Unavailable 503
    |  |- AuditUnavailable audit_unavailable
    |  |- RevocationsUnknown temporarily_unavailable
    |  |- IssuerUnavailable temporarily_unavailable
    |  |- BreakerOpen backend_unavailable
    |  |- BackendTokenUnavailable backend_unavailable
    |  `- Overloaded overloaded
    |- DeadlinePassed 504 backend_timeout
    |  `- ConnectTimeout backend_timeout
    |- VersionNotSupported 505 http_version_not_supported
    `- LoopDetected 508 loop_detected

`title`, `detail` and `error` go to the caller; `reason` goes to the ledger only.
"""

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


class BadRequest(Refusal):
    """Malformed, or two servers could read it differently."""

    status = 400
    error = "invalid_request"
    reason = "invalid_request"
    title = "Bad request"
    detail = "The request is malformed or ambiguous."


class UnreadablePath(BadRequest):
    """The path has more than one reading."""

    reason = "ambiguous_path"
    detail = "The path can be read in more than one way."


class Unauthenticated(Refusal):
    """401 with the challenge of RFC 6750 section 3 and RFC 9728 section 5.1 in `headers`."""

    status = 401
    error = "unauthenticated"
    reason = "unauthenticated"
    title = "Sign-in required"
    detail = "This operation needs a credential."


class MissingCredential(Unauthenticated):
    """No credential was sent: the challenge names no error."""

    reason = "no_credential"


class MisplacedCredential(Unauthenticated):
    """A token in the query (RFC 9700 section 4.3.2)."""

    error = "invalid_request"
    reason = "credential_in_query"
    detail = "Send the access token in the Authorization header only."


class InvalidCredential(Unauthenticated):
    """Unknown, expired or revoked; which one is for the ledger only."""

    error = "invalid_token"
    reason = "unknown"
    title = "Credential not accepted"
    detail = "The credential is unknown, expired or revoked."


class WrongAudience(InvalidCredential):
    """The token is good, for another resource (RFC 8707)."""

    reason = "wrong_audience"
    detail = "The access token was issued for another resource."


class InsufficientScope(Refusal):
    """403 with every scope the operation needs (RFC 6750 section 3.1)."""

    status = 403
    error = "insufficient_scope"
    reason = "insufficient_scope"
    title = "Permission missing"
    detail = "The access token lacks a permission that this operation needs."


class ForeignOrigin(Refusal):
    """A page of another site sent it; no sign-in would help, so there is no challenge."""

    status = 403
    error = "foreign_origin"
    reason = "foreign_origin"
    title = "Origin not allowed"
    detail = "Pages of this origin may not call; add it to CORS_ORIGIN to let them."


class NotRegistered(Refusal):
    """Nothing is registered there, or it is not for this caller to know."""

    status = 404
    error = "not_found"
    reason = "not_registered"
    title = "Not found"
    detail = "Nothing is registered at this address."


class MethodNotAllowed(Refusal):
    """The path exists with other methods, listed in Allow."""

    status = 405
    error = "method_not_allowed"
    reason = "method_not_allowed"
    title = "Method not allowed"
    detail = "This address does not answer this method."


class NotAcceptable(Refusal):
    """The answer has no form that the caller takes."""

    status = 406
    error = "not_acceptable"
    reason = "not_acceptable"
    title = "Not acceptable"
    detail = "The answer has no form that the request accepts."


class RequestTimeout(Refusal):
    """The body did not arrive in time."""

    status = 408
    error = "request_timeout"
    reason = "slow_body"
    title = "Request timeout"
    detail = "The request body did not arrive in time."


class TooLarge(Refusal):
    """The body is larger than the operation takes."""

    status = 413
    error = "content_too_large"
    reason = "body_too_large"
    title = "Content too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body may have {limit} bytes at most.", headers=(("connection", "close"),))


class UriTooLong(Refusal):
    """The request target is longer than any of ours."""

    status = 414
    error = "uri_too_long"
    reason = "uri_too_long"
    title = "URI too long"
    detail = "The request target may have 8192 bytes at most."


class UnsupportedMediaType(Refusal):
    """The body is of another kind than this address takes."""

    status = 415
    error = "unsupported_media_type"
    reason = "unsupported_media_type"
    title = "Unsupported media type"
    detail = "This address does not take a body of that kind."


class ExpectationFailed(Refusal):
    """An Expect that is not 100-continue (RFC 9110 section 10.1.1)."""

    status = 417
    error = "expectation_failed"
    reason = "expectation_failed"
    title = "Expectation failed"
    detail = "The only expectation this server meets is 100-continue."


class UpgradeRefused(Refusal):
    """Another protocol was asked for, such as WebSocket."""

    status = 426
    error = "upgrade_refused"
    reason = "upgrade_refused"
    title = "Upgrade refused"
    detail = "This server speaks HTTP/1.1 only; send the request without Upgrade."

    def __init__(self) -> None:
        super().__init__(headers=(("upgrade", "HTTP/1.1"), ("connection", "close")))


class HeadersTooLarge(Refusal):
    """Too many header fields, or too long ones (RFC 6585 section 5)."""

    status = 431
    error = "header_fields_too_large"
    reason = "header_fields_too_large"
    title = "Request header fields too large"
    detail = "At most 100 header fields, 8 KiB each and 32 KiB together."


class RateLimited(Refusal):
    """More calls than the window allows; `retry_after_s` whole seconds, `resets_at` seconds since the epoch."""

    status = 429
    error = "rate_limited"
    reason = "rate_limited"
    title = "Too many requests"
    detail = "The limit of calls is reached; try again later."

    def __init__(self, *, retry_after_s: int, resets_at: int, headers: Headers) -> None:
        super().__init__(headers=(("retry-after", str(retry_after_s)), *headers))
        self.retry_after_s = retry_after_s
        self.resets_at = resets_at

    @property
    def members(self) -> dict[str, object]:
        """When to come back."""
        return {"retry_after": self.retry_after_s, "resets_at": self.resets_at}


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
