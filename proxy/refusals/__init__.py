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
    |- NoDocument 409 no_document
    |- RequestTimeout 408 request_timeout
    |- IdempotencyConflict 409
    |  |- StillUnderWay idempotency_in_progress
    |  |- OutcomeUnknown idempotency_outcome_unknown
    |  `- AnswerNotKept idempotency_answer_not_kept
    |- TooLarge 413 content_too_large
    |- UriTooLong 414 uri_too_long
    |- UnsupportedMediaType 415 unsupported_media_type
    |- ExpectationFailed 417 expectation_failed
    |- IdempotencyKeyReused 422 idempotency_key_reused
    |- UpgradeRefused 426 upgrade_refused
    |- HeadersTooLarge 431 header_fields_too_large
    |- RateLimited 429 rate_limited
    |- TooManyCalls 429 too_many_calls
    |- TooManyStreams 429 too_many_streams
    |- Crash 500 server_error
    |- NotImplementedMethod 501 not_implemented
    |- BackendFault 502
    |  |- BackendUnreachable backend_unreachable
    |  |- BackendRefusedByGuard backend_address_refused
    |  |- BackendTokenRefused backend_credential_refused
    |  |- AnswerTooLarge backend_answer_too_large
    |  `- BackendNonsense backend_protocol_error
    |     |- ToolResultTooLarge backend_protocol_error
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

from proxy.refusals.of_requests import (
    AnswerNotKept,
    BadRequest,
    ExpectationFailed,
    ForeignOrigin,
    HeadersTooLarge,
    IdempotencyConflict,
    IdempotencyKeyReused,
    InsufficientScope,
    InvalidCredential,
    MethodNotAllowed,
    MisplacedCredential,
    MissingCredential,
    NoDocument,
    NotAcceptable,
    NotRegistered,
    OutcomeUnknown,
    RateLimited,
    RequestTimeout,
    StillUnderWay,
    TooLarge,
    TooManyCalls,
    TooManyStreams,
    Unauthenticated,
    UnreadablePath,
    UnsupportedMediaType,
    UpgradeRefused,
    UriTooLong,
    WrongAudience,
)
from proxy.refusals.of_servers import (
    AnswerTooLarge,
    AuditUnavailable,
    BackendClosed,
    BackendFault,
    BackendNonsense,
    BackendRefusedByGuard,
    BackendTokenRefused,
    BackendTokenUnavailable,
    BackendUnreachable,
    BreakerOpen,
    ConnectTimeout,
    Crash,
    DeadlinePassed,
    IssuerUnavailable,
    LoopDetected,
    NotImplementedMethod,
    Overloaded,
    RevocationsUnknown,
    ToolResultTooLarge,
    Unavailable,
    VersionNotSupported,
)
from proxy.refusals.refusal import Headers, Refusal

__all__ = [
    "AnswerNotKept",
    "AnswerTooLarge",
    "AuditUnavailable",
    "BackendClosed",
    "BackendFault",
    "BackendNonsense",
    "BackendRefusedByGuard",
    "BackendTokenRefused",
    "BackendTokenUnavailable",
    "BackendUnreachable",
    "BadRequest",
    "BreakerOpen",
    "ConnectTimeout",
    "Crash",
    "DeadlinePassed",
    "ExpectationFailed",
    "ForeignOrigin",
    "Headers",
    "HeadersTooLarge",
    "IdempotencyConflict",
    "IdempotencyKeyReused",
    "InsufficientScope",
    "InvalidCredential",
    "IssuerUnavailable",
    "LoopDetected",
    "MethodNotAllowed",
    "MisplacedCredential",
    "MissingCredential",
    "NoDocument",
    "NotAcceptable",
    "NotImplementedMethod",
    "NotRegistered",
    "OutcomeUnknown",
    "Overloaded",
    "RateLimited",
    "Refusal",
    "RequestTimeout",
    "RevocationsUnknown",
    "StillUnderWay",
    "TooLarge",
    "TooManyCalls",
    "TooManyStreams",
    "ToolResultTooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnreadablePath",
    "UnsupportedMediaType",
    "UpgradeRefused",
    "UriTooLong",
    "VersionNotSupported",
    "WrongAudience",
]
