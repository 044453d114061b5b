"""Which scopes count now."""

from collections.abc import Iterable

from oauth_provider.scopes.models import Scope


def live_scopes(names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that exist and are enabled."""
    return frozenset(Scope.objects.filter(name__in=list(names), enabled=True).values_list("name", flat=True))
