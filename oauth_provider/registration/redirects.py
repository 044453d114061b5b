"""The redirect URIs of a registration: what cannot be used here is left out, what nobody honest sends is refused."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils import translation

from oauth_provider.clients.redirect_uris import check_redirect_uris
from oauth_provider.registration.errors import InvalidRedirectUriError

MAX_URIS = 20


def usable_redirect_uris(value: object, *, public: bool) -> tuple[str, ...]:
    """Those of the `redirect_uris` that this client may be sent back to, in order, each once.

    An editor registers the address of its desktop, its web page and its own scheme in one request: one that is of no
    use must not cost it the others (RFC 7591 section 3.2.1).

    Raises:
        InvalidRedirectUriError: no list of texts, too many, or none of them can be used; says why of each.
    """
    if value is None:
        raise InvalidRedirectUriError("missing_redirect_uris", "redirect_uris is missing: send at least one.")
    if not isinstance(value, list) or not all(isinstance(uri, str) for uri in value):
        raise InvalidRedirectUriError("wrong_type", "redirect_uris must be a list of texts.")
    if len(value) > MAX_URIS:
        raise InvalidRedirectUriError("too_many_redirect_uris", f"redirect_uris has more than {MAX_URIS} entries.")
    problems = [_problem(uri, public=public) for uri in value]
    kept = tuple(dict.fromkeys(uri for uri, problem in zip(value, problems, strict=True) if not problem))
    if not kept:
        raise InvalidRedirectUriError("unusable_redirect_uris", _words(problems))
    return kept


def _problem(uri: str, *, public: bool) -> str:
    # In English, whatever the caller's browser prefers: descriptions are ASCII (RFC 6749 section 5.2)
    with translation.override("en"):
        try:
            check_redirect_uris([uri], public=public)
        except ValidationError as fault:
            # The URI itself is the caller's text, and not repeated
            return str(fault.messages[0]).removeprefix(f"{uri}: ")
    return ""


def _words(problems: Sequence[str]) -> str:
    if not problems:
        return "redirect_uris is empty: send at least one."
    return " ".join(f"redirect_uris[{index}]: {problem}" for index, problem in enumerate(problems[:5]))
