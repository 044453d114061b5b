"""Keep a resource as staff want it, and take away one that nothing of ours answers at."""

from collections.abc import Iterable

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.admin_log import record_admin_change, save_checked
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.in_use import InUseError
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.bump import bump


class ResourceInUseError(InUseError):
    """A backend or an MCP server answers under it, or somebody connected to it."""


@transaction.atomic
def save_resource(*, resource: Resource, actor: UserRef, fields: Iterable[str], note: str = "") -> None:
    """Store a new or changed `resource`; `fields` are the names of what changed, `note` the reason given.

    Raises:
        ValidationError: by field.
    """
    kind = save_checked(resource)
    record_admin_change(kind=kind, actor=actor, target=f"resource:{resource.path}", fields=fields, note=note)
    bump("revocation")


@transaction.atomic
def remove_resource(*, resource: Resource, actor: UserRef, note: str) -> None:
    """Delete `resource`: no token is issued for it any more.

    Raises:
        ResourceInUseError: a backend or an MCP server answers under it, or somebody connected to it: what people gave
            stays readable.
    """
    if resource.path in answered_paths():
        raise ResourceInUseError(_("A backend or an MCP server answers there: delete that."))
    # By name: a layer above
    if apps.get_model("oauth_provider", "Connection")._default_manager.filter(resource=resource.pk).exists():
        raise ResourceInUseError(_("People connected to it: what they gave stays readable."))
    record_admin_change(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target=f"resource:{resource.path}", note=note)
    resource.delete()
    bump("revocation")


def answered_paths() -> dict[str, list[str]]:
    """The resources of backends and MCP servers, by path, and the scopes their enabled operations name."""
    # By name: all are layers above
    backends = apps.get_model("proxy", "Backend")._default_manager
    operations = apps.get_model("proxy", "Operation")._default_manager
    found: dict[str, set[str]] = {prefix: set() for prefix in backends.values_list("prefix", flat=True)}
    rows = operations.filter(enabled=True).values_list("backend__prefix", "scopes", "any_scopes")
    for prefix, scopes, any_scopes in rows:
        found[prefix].update(scopes, any_scopes)
    found |= apps.get_model("proxy", "McpServer").scopes_by_path()
    return {path: sorted(scopes) for path, scopes in found.items()}
