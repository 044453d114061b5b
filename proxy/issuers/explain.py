"""What of a token holds and what does not, for staff who set an issuer up: the checks of the data plane, one by one."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.identities.known import known_person
from oauth_provider.scopes.live import live_scopes
from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.issuers import checks
from proxy.issuers.compact import Unverified, read
from proxy.issuers.jwks import PublicKeys
from proxy.issuers.refused import InvalidExternalToken
from proxy.issuers.subject import subject_of

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its words, whether it passed, and what the token has there."""

    words: Promise | str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What every check looks at."""

    token: Unverified
    issuer: IssuerPlan
    keys: PublicKeys
    now: float


def explain(compact: str, *, issuer: IssuerPlan, keys: PublicKeys) -> list[Finding]:
    """What the data plane would find, check by check; nothing of the token is kept."""
    words = gettext_lazy("It is a signed compact JWT.")
    try:
        token = read(compact)
    except InvalidExternalToken:
        return [Finding(words, passed=False, detail="")]
    return [Finding(words, passed=True, detail=""), *_findings(_Case(token, issuer, keys, time.time()))]


def _findings(case: _Case) -> Iterator[Finding]:
    for words, shows, check in _CHECKS:
        detail = _shown(case, shows)
        try:
            found = check(case)
        except InvalidExternalToken as refused:
            yield Finding(words, passed=False, detail=detail or refused.reason)
        else:
            yield Finding(words, passed=True, detail=found or detail)


def _shown(case: _Case, name: str) -> str:
    where = case.token.header if name in {"alg", "kid", "typ"} else case.token.claims
    return str(where.get(name, _("not there")))[:SHOWN] if name else ""


def _issuer(case: _Case) -> None:
    if case.token.issuer != case.issuer.issuer:
        raise InvalidExternalToken("unknown_issuer")


def _header(case: _Case) -> None:
    checks.check_header(case.token)


def _kind(case: _Case) -> None:
    checks.check_kind(case.token)


def _algorithm(case: _Case) -> None:
    checks.check_algorithm(case.token, case.issuer)


def _key(case: _Case) -> None:
    if case.keys.find(kid=case.token.key_id, algorithm=case.token.algorithm) is None:
        raise InvalidExternalToken("unknown_key")


def _signature(case: _Case) -> None:
    key = case.keys.find(kid=case.token.key_id, algorithm=case.token.algorithm)
    if key is None:
        raise InvalidExternalToken("unknown_key")
    checks.check_signature(case.token, key)


def _end(case: _Case) -> str:
    end = checks.check_end(case.token, case.now)
    try:
        return datetime.fromtimestamp(end, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        # Beyond the calendar
        return ""


def _begin(case: _Case) -> None:
    checks.check_begin(case.token, case.now)


def _audience(case: _Case) -> None:
    if not checks.audiences(case.token, case.issuer):
        raise InvalidExternalToken("wrong_audience")


def _subject(case: _Case) -> str:
    found = subject_of(case.token, case.issuer)
    parts = {"user": found.user, "client": found.client, "tenant": found.tenant, "roles": ", ".join(found.roles)}
    return "; ".join(f"{name}: {text}" for name, text in parts.items() if text)


def _scopes(case: _Case) -> str:
    held = subject_of(case.token, case.issuer).scopes
    return ", ".join(sorted(live_scopes(held))) or _("none that is enabled here")


def _person(case: _Case) -> None:
    person = known_person(subject_of(case.token, case.issuer).user)
    if person is not None and not person.is_active:
        raise InvalidExternalToken("inactive_user")


# The words, the header parameter or claim to show beside them, and the check
_CHECKS: tuple[tuple[Promise, str, Callable[[_Case], str | None]], ...] = (
    (gettext_lazy("Its iss is this issuer's."), "iss", _issuer),
    (gettext_lazy("Its header brings no key along and asks for no extension."), "", _header),
    (gettext_lazy("It is an access token, as far as it says what it is."), "typ", _kind),
    (gettext_lazy("Its algorithm is one of those pinned."), "alg", _algorithm),
    (gettext_lazy("The issuer publishes the key it names."), "kid", _key),
    (gettext_lazy("The signature is that key's."), "", _signature),
    (gettext_lazy("It has an end, and that is to come (exp)."), "exp", _end),
    (gettext_lazy("It is valid already (nbf, iat), give or take a minute."), "", _begin),
    (gettext_lazy("Its aud has one of the audiences."), "aud", _audience),
    (gettext_lazy("It says who it speaks for."), "", _subject),
    (gettext_lazy("What it may do here."), "", _scopes),
    (gettext_lazy("Nobody of that external id is switched off here."), "", _person),
)
