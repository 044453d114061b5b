"""How the external issuers are, for whatever watches the process.

As public as the rest of the health URLs: that an issuer is trusted stands in the resource metadata, and its keys are
public. Where they are fetched, or why a fetch failed, may tell of the inside and is for the log.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.issuers.keeper import KeyKeeper, KeyState

ISSUERS, AUTH0 = "/health/issuers", "/health/auth0"


def issuers_document(keeper: KeyKeeper, issuers: Iterable[IssuerPlan]) -> dict[str, object]:
    """Each of `issuers` by its name; `status` is "unavailable" when the keys of one cannot be used."""
    plans = {issuer.name: issuer for issuer in issuers}
    states = keeper.states(plans.values())
    return {
        "status": "ok" if all(state.usable for state in states) else "unavailable",
        "issuers": {state.name: _described(state, plans[state.name]) for state in states},
    }


def issuers_summary(keeper: KeyKeeper, issuers: Iterable[IssuerPlan]) -> dict[str, int]:
    """How many are registered, and of how many the keys can be used."""
    states = keeper.states(issuers)
    return {"registered": len(states), "usable": sum(state.usable for state in states)}


def _described(state: KeyState, issuer: IssuerPlan) -> dict[str, object]:
    last = datetime.fromtimestamp(state.succeeded_at, UTC).isoformat(timespec="seconds") if state.succeeded_at else None
    return {
        "usable": state.usable,
        "reachable": state.reachable,
        "last_success": last,
        "age_s": None if state.age_s is None else int(state.age_s),
        "keys": state.keys,
        "algorithms": sorted(issuer.algorithms),
    }
