"""The authorization request as it arrived, bounded and unambiguous, before anything in it is believed."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from oauth_provider.authorize.errors import LocalError
from oauth_provider.openid.id_token import MAX_HINT

# Longest value accepted, in characters; generous for real clients, small enough to store.
_LIMITS = {
    "client_id": 255,
    "redirect_uri": 2000,
    "response_type": 64,
    "response_mode": 64,
    "scope": 4000,
    "state": 4000,
    "code_challenge": 500,
    "code_challenge_method": 64,
    "nonce": 255,
    "prompt": 128,
    "max_age": 16,
    "ui_locales": 128,
    "login_hint": 255,
    "id_token_hint": MAX_HINT,
    "request": 16000,
    "request_uri": 2000,
    "resource": 2000,
}
# RFC 8707 section 2 lets a client repeat `resource`; every other parameter may appear once.
_REPEATABLE = frozenset({"resource"})


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The parameters of RFC 6749 section 4.1.1 and its extensions; an absent one is the empty string."""

    client_id: str
    redirect_uri: str
    response_type: str
    response_mode: str
    scope: str
    state: str
    code_challenge: str
    code_challenge_method: str
    nonce: str
    prompt: frozenset[str]
    max_age: str
    ui_locales: str
    login_hint: str
    id_token_hint: str
    request: str
    request_uri: str
    resource: tuple[str, ...]


def parse(query: QueryDict) -> AuthorizationRequest:
    """Read an authorization request.

    Raises:
        LocalError: a parameter is repeated (RFC 6749 section 3.1), too long, or holds a NUL.
    """
    for name, values in query.lists():
        _refuse_ambiguous(name, [str(value) for value in values])

    def one(name: str) -> str:
        return str(query.get(name, ""))

    return AuthorizationRequest(
        client_id=one("client_id"),
        redirect_uri=one("redirect_uri"),
        response_type=one("response_type"),
        response_mode=one("response_mode"),
        scope=one("scope"),
        state=one("state"),
        code_challenge=one("code_challenge"),
        code_challenge_method=one("code_challenge_method"),
        nonce=one("nonce"),
        prompt=frozenset(one("prompt").split()),
        max_age=one("max_age"),
        ui_locales=one("ui_locales"),
        login_hint=one("login_hint"),
        id_token_hint=one("id_token_hint"),
        request=one("request"),
        request_uri=one("request_uri"),
        resource=tuple(str(value) for value in query.getlist("resource") if value),
    )


def _refuse_ambiguous(name: str, values: list[str]) -> None:
    known = name in _LIMITS
    if len(values) > 1 and name not in _REPEATABLE:
        raise LocalError(
            "duplicate_parameter",
            message=_("The application sent an ambiguous request."),
            developer=_("Send every parameter once; “%(name)s” was repeated.") % {"name": name[:64] if known else "…"},
        )
    if not known:
        return
    if len(values) > 20 or any(len(value) > _LIMITS[name] for value in values):
        raise LocalError(
            "parameter_too_long",
            message=_("The application sent an oversized request."),
            developer=_("Shorten “%(name)s”.") % {"name": name},
        )
    # PostgreSQL cannot store NUL; a value with one is never legitimate.
    if any("\x00" in value for value in values):
        raise LocalError(
            "nul_in_parameter",
            message=_("The application sent a malformed request."),
            developer=_("“%(name)s” contains a NUL character.") % {"name": name},
        )
