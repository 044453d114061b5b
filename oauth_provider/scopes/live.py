"""Which scopes count now."""

from collections.abc import Iterable

from oauth_provider.scopes.models import Scope
from oauth_provider.scopes.openid import OPENID_SCOPES


def live_scopes(names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that exist and are enabled."""
    found = Scope.objects.filter(name__in=list(names), enabled=True).order_by()
    return frozenset(found.values_list("name", flat=True))


def scopes_of_apis() -> list[str]:
    """Every enabled scope that is about an API, sorted: without those of OpenID, which are about people."""
    return sorted(set(Scope.objects.filter(enabled=True).values_list("name", flat=True)) - OPENID_SCOPES)
