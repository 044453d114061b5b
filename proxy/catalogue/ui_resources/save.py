"""Keep pages for tools: checked, recorded and announced, whoever asks for it."""

from collections.abc import Iterable

from django.db import transaction

from audit.ledger.admin_log import record_admin_change, save_checked
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.revisions.bump import bump
from proxy.catalogue.ui_resources.models import UiResource


@transaction.atomic
def save_ui_resource(
    *, page: UiResource, actor: UserRef | None, fields: Iterable[str] = (), reason: str = "", note: str = ""
) -> None:
    """Store a new or changed page; clients that read it from now on get it as it is now.

    Args:
        page: with its new values; need not be checked.
        actor: the member of staff; None at start and from a shell.
        fields: names of what changed, for the event.
        reason: a slug, when no person is behind it.
        note: the reason a person gave.

    Raises:
        ValidationError: by field, when no client would show it.
    """
    kind = save_checked(page)
    target = f"ui_resource:{page.uri}"
    record_admin_change(kind=kind, actor=actor, target=target, fields=fields, reason=reason, note=note)
    bump("catalogue")


@transaction.atomic
def remove_ui_resource(*, page: UiResource, actor: UserRef | None, note: str) -> None:
    """Delete `page`; its tools answer in words alone from now on. `note` is the reason given."""
    record_admin_change(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target=f"ui_resource:{page.uri}", note=note)
    page.delete()
    bump("catalogue")
