"""What django-oauth-toolkit asks about scopes, answered from the database."""

from typing import Any, Protocol

from oauth2_provider.scopes import BaseScopes
from typing_extensions import override

from oauth_provider.scopes.live import live_scopes
from oauth_provider.scopes.models import Scope, Sensitivity


class Application(Protocol):
    """What a client says about scopes."""

    default_scopes: str

    @property
    def scope_set(self) -> frozenset[str]:
        """Those it may ask for."""


class DatabaseScopes(BaseScopes):
    """Scopes are rows that staff edit; a client sees those it is allowed to ask for."""

    @override
    def get_all_scopes(self) -> dict[str, str]:
        """Every enabled scope with its title."""
        return dict(Scope.objects.filter(enabled=True).values_list("name", "title"))

    @override
    def get_available_scopes(
        self, application: Application | None = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """What `application` may ask for; without one, every enabled scope."""
        if application is None:
            return sorted(self.get_all_scopes())
        return sorted(live_scopes(application.scope_set))

    @override
    def get_default_scopes(
        self, application: Application | None = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """What a request without scope means: the client's defaults, else its read scopes; never all."""
        if application is None:
            return []
        available = application.scope_set
        chosen = available & frozenset(application.default_scopes.split())
        if not chosen:
            readable = Scope.objects.filter(name__in=available, sensitivity=Sensitivity.NORMAL)
            chosen = frozenset(readable.values_list("name", flat=True))
        return sorted(live_scopes(chosen))
