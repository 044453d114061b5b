"""The permissions of a consent page: what is new, what the person gave before, and what stays as it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from oauth_provider.scopes.models import Scope, Sensitivity
from oauth_provider.scopes.openid import OFFLINE_ACCESS


@dataclass(frozen=True, slots=True)
class Permission:
    """One checkbox."""

    name: str
    title: str
    description: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Permissions under their heading."""

    sensitivity: str
    heading: str
    hint: str
    permissions: tuple[Permission, ...]


def asked_groups(scopes: Iterable[Scope]) -> tuple[Group, ...]:
    """What is asked for the first time, by sensitivity. What only reads starts ticked, what acts needs a tick."""
    unticked = _("Not ticked for you. Tick what you want to allow.")
    headings = (
        (Sensitivity.NORMAL, _("See"), ""),
        (Sensitivity.WRITE, _("Do for you"), unticked),
        (Sensitivity.SENSITIVE, _("Sensitive"), unticked),
    )
    everything = list(scopes)
    asked = [scope for scope in everything if scope.name != OFFLINE_ACCESS]
    groups = [
        Group(
            kind.value,
            heading,
            hint,
            tuple(_permission(s, checked=kind is Sensitivity.NORMAL) for s in asked if s.sensitivity == kind),
        )
        for kind, heading, hint in headings
    ]
    away = tuple(_permission(scope, checked=True) for scope in everything if scope.name == OFFLINE_ACCESS)
    groups.append(Group("away", _("While you are away"), "", away))
    return tuple(group for group in groups if group.permissions)


def granted_group(scopes: Iterable[Scope]) -> Group | None:
    """What is asked for and was given before: ticked, whatever it does; None when there is nothing."""
    permissions = tuple(_permission(scope, checked=True) for scope in scopes)
    if not permissions:
        return None
    return Group("granted", _("Already allowed"), _("Untick what you want to take back."), permissions)


def kept_titles(names: Iterable[str]) -> tuple[str, ...]:
    """The titles of what was given before and is not asked for now."""
    return tuple(scope.local_title for scope in Scope.objects.filter(enabled=True, name__in=list(names)))


def _permission(scope: Scope, *, checked: bool) -> Permission:
    return Permission(scope.name, scope.local_title, scope.local_description, checked)
