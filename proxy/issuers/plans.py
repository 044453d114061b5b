"""The enabled issuers, from the database to what the data plane works with."""

import structlog

from proxy.catalogue.issuer_plan import IssuerPlan, Issuers
from proxy.catalogue.models import is_text_list
from proxy.issuers.models import Issuer

log = structlog.get_logger(__name__)


def read_issuers() -> Issuers:
    """Every enabled issuer by its `iss`, in one statement; a row that no form would have let through is left out."""
    found = {}
    for issuer in Issuer.objects.filter(enabled=True):
        if is_text_list(issuer.audiences) and is_text_list(issuer.algorithms) and isinstance(issuer.claims, dict):
            found[issuer.issuer] = plan_of(issuer)
        else:
            log.error("issuer_left_out", issuer=issuer.name)
    return found


def plan_of(issuer: Issuer) -> IssuerPlan:
    """`issuer` as the data plane knows it."""
    return IssuerPlan(
        name=issuer.name,
        issuer=issuer.issuer,
        audiences=frozenset(issuer.audiences),
        jwks_url=issuer.jwks_url,
        algorithms=frozenset(issuer.algorithms),
        claims=dict(issuer.claims),
        allow_private=issuer.allow_private,
    )
