"""Why an authorization request is refused.

AuthorizationError
├── LocalError      shown on our own page; the redirect URI is not trusted, or there is nothing to answer
└── RedirectError   sent to the client's registered redirect URI (RFC 6749 section 4.1.2.1, RFC 9207)
"""

from django.utils.functional import Promise


class AuthorizationError(Exception):
    """A refused authorization request; ``reason`` is the stable slug the ledger keeps."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LocalError(AuthorizationError):
    """A refusal the person sees here. Nothing is redirected and nothing of the request becomes a link.

    ``message`` and ``advice`` are for the person in front of the page: what happened, and what helps. ``developer``
    says what the client must change. ``client_id`` is for the ledger: the client it is about, once that is known to
    exist; an identifier that matched nothing is the caller's free text. ``locale`` is the language of the page the
    person came from, where there was one.
    """

    def __init__(
        self,
        reason: str,
        *,
        message: str | Promise,
        advice: str | Promise = "",
        developer: str | Promise = "",
        client_id: str = "",
        locale: str = "",
        status: int = 400,
    ) -> None:
        super().__init__(reason)
        self.message = message
        self.advice = advice
        self.developer = developer
        self.client_id = client_id
        self.locale = locale
        self.status = status


class RedirectError(AuthorizationError):
    """A refusal the client receives: ``code`` is the registered OAuth error, ``description`` ASCII for its log."""

    def __init__(self, code: str, description: str, *, reason: str = "") -> None:
        super().__init__(reason or code)
        self.code = code
        self.description = description
