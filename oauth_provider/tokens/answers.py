"""Answers of the token, revocation and introspection endpoints (RFC 6749 sections 5.1 and 5.2)."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, JsonResponse

from oauth_provider.throttle import ThrottledError
from oauth_provider.tokens.client_authentication import AmbiguousAuthenticationError, AuthenticationError

REALM = 'Basic realm="gatehouse", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON object; None for an empty body."""

    status: int
    body: dict[str, Any] | None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """The HTTP response: never stored by anybody, and challenged when the client did not prove itself."""
        response: HttpResponse = (
            HttpResponse(status=self.status) if self.body is None else JsonResponse(self.body, status=self.status)
        )
        response["Cache-Control"] = "no-store"
        response["Pragma"] = "no-cache"
        if self.status == 401:
            response["WWW-Authenticate"] = REALM
        for name, value in self.headers.items():
            response[name] = value
        return response


def error_answer(
    error: str, description: str = "", *, status: int = 400, headers: dict[str, str] | None = None
) -> Answer:
    """An error of RFC 6749 section 5.2; `description` is for the client's developer and names nothing private."""
    body = {"error": error} | ({"error_description": description} if description else {})
    return Answer(status, body, headers or {})


def unproven(error: AuthenticationError) -> Answer:
    """The client did not prove itself, in words that tell nothing (RFC 6749 section 5.2)."""
    if isinstance(error, AmbiguousAuthenticationError):
        return error_answer("invalid_request", "Authenticate in exactly one way.")
    return error_answer("invalid_client", "Client authentication failed.", status=401)


def unavailable() -> Answer:
    """The database is busy or gone: nothing was issued, the same request may be sent again."""
    return error_answer("temporarily_unavailable", "Try again in a moment.", status=503, headers={"Retry-After": "1"})


def throttled_answer(refusal: ThrottledError) -> Answer:
    """Too many requests (RFC 6585 section 4), or nobody can count them."""
    headers = {"Retry-After": str(refusal.retry_after_s)}
    words = f"Try again in {refusal.retry_after_s} s."
    return error_answer("temporarily_unavailable", words, status=refusal.status, headers=headers)
