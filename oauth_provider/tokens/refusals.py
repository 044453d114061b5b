"""Why a code or a token is not accepted, before it becomes an error of RFC 6749.

TokenRefusedError
├── InvalidGrantError    400 invalid_grant
├── ReplayError          400 invalid_grant, and the family dies
├── InvalidTargetError   400 invalid_target (RFC 8707 section 2)
└── InvalidSubjectError  400 invalid_request (RFC 8693 section 2.2.2)
"""

from uuid import UUID


class TokenRefusedError(Exception):
    """Root of the refusals; `reason` is the slug for the ledger and never goes to the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidGrantError(TokenRefusedError):
    """Unknown, expired, revoked, of another client, or of somebody who may not use it any more."""


class InvalidTargetError(TokenRefusedError):
    """The request names a resource that the grant is not for."""


class InvalidSubjectError(TokenRefusedError):
    """The token to be exchanged opens nothing, or is none that this client may exchange."""


class ReplayError(TokenRefusedError):
    """A code or refresh token that was used up before: all that it bought is revoked (RFC 9700 sections 4.5, 4.14)."""

    def __init__(self, reason: str, family_id: UUID | None) -> None:
        super().__init__(reason)
        self.family_id = family_id
