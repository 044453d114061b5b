"""Answers to the client: a redirect to its registered URI, always naming this issuer (RFC 9207)."""

from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http.response import HttpResponseRedirectBase


class ClientRedirect(HttpResponseRedirectBase):
    """A redirect to a client's URI, whose scheme may be the client's own (RFC 8252 section 7.1)."""

    def __init__(self, location: str, *, status: int) -> None:
        # Only a registered URI reaches this point, so its scheme is one staff allowed.
        self.allowed_schemes = [urlsplit(location).scheme]
        self.status_code = status
        super().__init__(location)
        self["Cache-Control"] = "no-store"
        self["Referrer-Policy"] = "no-referrer"


def redirect(*, redirect_uri: str, state: str, status: int, **answer: str) -> ClientRedirect:
    """Send ``answer``, ``state`` (when the client sent one) and ``iss`` to ``redirect_uri``.

    ``status`` is 302 for an answer to GET and 303 after a form post, never 307 or 308, which
    would repeat the form at the client (RFC 9700 section 4.12).
    """
    pairs = list(answer.items())
    if state:
        pairs.append(("state", state))
    pairs.append(("iss", settings.PUBLIC_BASE_URL))
    parts = urlsplit(redirect_uri)
    query = "&".join(filter(None, [parts.query, urlencode(pairs)]))
    return ClientRedirect(urlunsplit(parts._replace(query=query)), status=status)
