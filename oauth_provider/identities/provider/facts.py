"""Who a verified answer of the provider is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from oauth_provider.identities.external_id import EXTERNAL_ID, LOCAL_PREFIX
from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.errors import AnswerRefused

# What django-allauth's column holds; OpenID Connect Core section 2 allows 255, no provider we know of uses half of it
SUBJECT_MAX = 191
EMAIL_MAX = 254
NAME_MAX = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`issuer` and `subject` name the person for ever; everything else may change from one sign-in to the next."""

    issuer: str
    subject: str
    external_id: str
    email: str
    is_email_verified: bool
    given_name: str
    family_name: str
    preferred_name: str


def facts_of(claims: Mapping[str, Any], company: Company) -> Facts:
    """Read `claims`, of an ID token that was checked and what the userinfo endpoint added.

    Raises:
        AnswerRefused: there is no subject, or no external id that a header can carry (RFC 9110 section 5.5).
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX or not is_plain(subject):
        raise AnswerRefused("subject_unreadable")
    email = readable_email(claims.get("email"))
    return Facts(
        issuer=company.issuer,
        subject=subject,
        external_id=_external_id(claims.get(company.external_id_claim)),
        email=email,
        # Some providers write it as text
        is_email_verified=bool(email) and claims.get("email_verified") in (True, "true"),
        given_name=_words(claims.get("given_name")),
        family_name=_words(claims.get("family_name")),
        preferred_name=_words(claims.get("preferred_username")),
    )


def is_plain(text: str) -> bool:
    """Whether `text` is what OpenID Connect Core section 2 lets a subject be: ASCII, and nothing invisible."""
    return text.isascii() and text.isprintable()


def has_what_is_needed(claims: Mapping[str, Any], company: Company) -> bool:
    """Whether the userinfo endpoint need not be asked."""
    return "email" in claims and company.external_id_claim in claims


def _external_id(value: object) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        EXTERNAL_ID(text)
    except ValidationError as fault:
        raise AnswerRefused("external_id_unreadable") from fault
    if text.startswith(LOCAL_PREFIX):
        # A claim that people choose themselves would let them be whoever has no other id here
        raise AnswerRefused("external_id_unreadable")
    return text


def readable_email(value: object) -> str:
    """An address that can be kept, "" for anything else."""
    if not isinstance(value, str) or len(value) > EMAIL_MAX:
        return ""
    try:
        validate_email(value)
    except ValidationError:
        return ""
    return value


def _words(value: object) -> str:
    # Shown to people and staff; control characters have no place there
    return "".join(letter for letter in value if letter.isprintable())[:NAME_MAX] if isinstance(value, str) else ""
