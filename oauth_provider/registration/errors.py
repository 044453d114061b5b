"""Why a registration is refused, in the words of RFC 7591 section 3.2.2; turned into answers by the views."""


class RegistrationError(Exception):
    """Root of the refusals below. `reason` is for the ledger; `description` is ASCII, for whoever wrote the client.

    RegistrationError
    ├── InvalidMetadataError       400 invalid_client_metadata
    │   └── UnreadableBodyError    400, 413 or 415
    ├── InvalidRedirectUriError    400 invalid_redirect_uri
    ├── InvalidTokenError          401 invalid_token (RFC 6750 section 3.1)
    ├── ClosedError                403 or 404 access_denied
    └── TooManyError               503 temporarily_unavailable
    """

    error = "invalid_request"
    status = 400

    def __init__(self, reason: str, description: str, *, status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.description = description
        self.status = status or self.status


class InvalidMetadataError(RegistrationError):
    """A field cannot be registered; the description names it."""

    error = "invalid_client_metadata"


class UnreadableBodyError(InvalidMetadataError):
    """The body is no JSON object with one meaning."""


class InvalidRedirectUriError(RegistrationError):
    """No redirect URI of the request can be registered, or one is dangerous."""

    error = "invalid_redirect_uri"


class InvalidTokenError(RegistrationError):
    """The bearer is no invitation, or not this client's registration access token."""

    error = "invalid_token"
    status = 401


class ClosedError(RegistrationError):
    """The policy or the list says no."""

    error = "access_denied"
    status = 403


class TooManyError(RegistrationError):
    """There are as many unused registrations as staff allow."""

    error = "temporarily_unavailable"
    status = 503
