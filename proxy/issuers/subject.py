"""Whom an external token speaks for: from its claims, by the mapping staff gave, to what backends are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from oauth_provider.identities.external_id import LOCAL_PREFIX
from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.issuers.compact import Unverified
from proxy.issuers.refused import InvalidExternalToken

# What a claim can be mapped to, and the claims of RFC 9068 sections 2.2 and 2.2.3 in whose place it stands
MAPPED: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("sub",),
    "client": ("client_id", "azp"),
    "tenant": (),
    "roles": (),
    "scopes": ("scope",),
}
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token speaks for. `scopes` are all it has, known to us or not; `client` is "" when it names none."""

    user: str
    client: str
    tenant: str
    roles: tuple[str, ...]
    scopes: frozenset[str]


def subject_of(token: Unverified, issuer: IssuerPlan) -> Subject:
    """Who it is, in texts that a header can carry.

    Raises:
        InvalidExternalToken: no_subject: nobody, or somebody no header can name; claim_malformed: another mapped claim
            has a value that means nothing there.
    """
    user = _first(token.claims, issuer, "user")
    # No other issuer speaks for local people without an external id of their own
    if not isinstance(token.claims.get("sub"), str) or not _is_name(user) or user.startswith(LOCAL_PREFIX):
        raise InvalidExternalToken("no_subject")
    return Subject(
        user=user,
        client=_name(_first(token.claims, issuer, "client")),
        tenant=_name(_first(token.claims, issuer, "tenant")),
        roles=tuple(sorted(set(_names(_first(token.claims, issuer, "roles"), split=False)))),
        scopes=frozenset(_names(_first(token.claims, issuer, "scopes"), split=True)),
    )


def claim(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    """The claim called `name`, else, with dots in it, the member that it leads to: `realm_access.roles`; or None."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def _first(claims: Mapping[str, Any], issuer: IssuerPlan, what: str) -> Any:  # noqa: ANN401 - any JSON
    names = (issuer.claims[what],) if what in issuer.claims else MAPPED[what]
    return next((found for name in names if (found := claim(claims, name)) is not None), None)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isascii() and value.isprintable() and (
        " " not in value
    )  # fmt: skip


def _name(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _is_name(value):
        raise InvalidExternalToken("claim_malformed")
    return value


def _names(value: object, *, split: bool) -> list[str]:
    # A list, or one text: scopes stand in it separated by spaces (RFC 6749 section 3.3), a role may have some itself
    if value is None:
        return []
    listed = (value.split(" ") if split else [value]) if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) and len(each) <= MAX_TEXT for each in listed):
        raise InvalidExternalToken("claim_malformed")
    return [each for each in listed if each and each.isprintable()]
