"""Which permissions a client that came by itself may ask people for."""

from collections.abc import Iterable

from oauth_provider.scopes.models import Scope


def open_scopes() -> tuple[str, ...]:
    """Names of the enabled permissions that staff opened to such clients, sorted."""
    rows = Scope.objects.filter(enabled=True, self_registration=True).order_by("name")
    return tuple(rows.values_list("name", flat=True))


def registered_scopes(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """What is registered of the scopes `asked`: those that are `allowed`; empty when none is.

    It is what a request without scope means, and no ceiling: MCP clients register with what one tool needs and step up
    when another needs more (MCP authorization 2026-07-28, step-up).
    """
    wanted = set(asked)
    return tuple(name for name in sorted(allowed) if name in wanted)
