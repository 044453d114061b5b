"""4xx: the caller can do something about it."""

import time

from proxy.refusals.refusal import Headers, Refusal


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


class NoDocument(Refusal):
    """What is registered cannot be said in an OpenAPI document that ChatGPT takes; `faults` say what to change."""

    status = 409
    error = "no_document"
    reason = "not_registered"
    title = "No OpenAPI document"
    detail = "ChatGPT would not take this document; faults says what to change."

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__()
        self.faults = faults

    @property
    def members(self) -> dict[str, object]:
        """Each fault with its operation, if it is one's."""
        return {"faults": self.faults}


class RequestTimeout(Refusal):
    """The body did not arrive in time."""

    status = 408
    error = "request_timeout"
    reason = "slow_body"
    title = "Request timeout"
    detail = "The request body did not arrive in time."


class IdempotencyConflict(Refusal):
    """409: an earlier call with the same Idempotency-Key stands in the way."""

    status = 409
    title = "Conflict"


class StillUnderWay(IdempotencyConflict):
    """The first call with the key has no answer yet."""

    error = "idempotency_in_progress"
    reason = "idempotency_in_progress"
    detail = "The first call with this Idempotency-Key is still under way; send it again in a moment."

    def __init__(self) -> None:
        super().__init__(headers=(("retry-after", "1"),))


class OutcomeUnknown(IdempotencyConflict):
    """The first call was sent, and its answer never came: sending it again might do it twice."""

    error = "idempotency_outcome_unknown"
    reason = "idempotency_outcome_unknown"
    detail = (
        "A call with this Idempotency-Key was sent and its answer was lost: it may have taken effect. "
        "Look whether it did; if not, send it with another key."
    )


class AnswerNotKept(IdempotencyConflict):
    """The first call was answered by a stream, or by more than is kept."""

    error = "idempotency_answer_not_kept"
    reason = "idempotency_answer_not_kept"
    detail = "A call with this Idempotency-Key was carried out; its answer was too large to be kept for a second time."


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


class IdempotencyKeyReused(Refusal):
    """The key came with another request before."""

    status = 422
    error = "idempotency_key_reused"
    reason = "idempotency_key_reused"
    title = "Key used for another request"
    detail = "This Idempotency-Key came with another path, query or body before; use a new key for a new request."


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

    def __init__(self, detail: str = "", *, retry_after_s: int, resets_at: int, headers: Headers) -> None:
        super().__init__(detail, headers=(("retry-after", str(retry_after_s)), *headers))
        self.retry_after_s = retry_after_s
        self.resets_at = resets_at

    @property
    def members(self) -> dict[str, object]:
        """When to come back."""
        return {"retry_after": self.retry_after_s, "resets_at": self.resets_at}


class TooManyCalls(Refusal):
    """More calls at a time than one person may have at a backend, of which the others need places too."""

    status = 429
    error = "too_many_calls"
    reason = "too_many_calls"
    title = "Too many calls"
    detail = "As many calls are under way as one person may have here; wait until one of them is answered."
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__(headers=(("retry-after", str(self.retry_after_s)),))

    @property
    def members(self) -> dict[str, object]:
        """When to come back."""
        return {"retry_after": self.retry_after_s, "resets_at": int(time.time()) + self.retry_after_s}


class TooManyStreams(Refusal):
    """More streams at a time than one caller may hold at a backend; nobody can say when one of them ends."""

    status = 429
    error = "too_many_streams"
    reason = "too_many_streams"
    title = "Too many streams"
    detail = "As many streams are open as one caller may have here; end one of them first."
