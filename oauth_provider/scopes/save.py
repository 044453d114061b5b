"""Keep a permission as staff want it, and take one away that nothing uses."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.admin_log import record_admin_change, save_checked
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.in_use import InUseError
from oauth_provider.revisions.bump import bump
from oauth_provider.scopes.models import Scope
from oauth_provider.scopes.openid import OPENID_SCOPES
from oauth_provider.scopes.usage import scope_usage


class ScopeInUseError(InUseError):
    """Clients or operations name it: it is switched off, not deleted."""


@transaction.atomic
def save_scope(*, scope: Scope, actor: UserRef, fields: Iterable[str], note: str = "") -> None:
    """Store a new or changed `scope`; `fields` are the names of what changed, `note` the reason given.

    Raises:
        ValidationError: by field.
    """
    kind = save_checked(scope)
    record_admin_change(kind=kind, actor=actor, target=f"scope:{scope.name}", fields=fields, note=note)
    bump("revocation")
    bump("catalogue")


@transaction.atomic
def remove_scope(*, scope: Scope, actor: UserRef, note: str) -> None:
    """Delete `scope`.

    Raises:
        ScopeInUseError: a client may ask for it, or an operation requires it; or it is one of OpenID.
    """
    if scope.name in OPENID_SCOPES:
        raise ScopeInUseError(_("Every client may ask for this permission: disable it instead."))
    usage = scope_usage()
    if usage.clients[scope.name] or usage.operations[scope.name]:
        raise ScopeInUseError(_("Clients or operations name this permission: disable it instead."))
    record_admin_change(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target=f"scope:{scope.name}", note=note)
    scope.delete()
    bump("revocation")
    bump("catalogue")
