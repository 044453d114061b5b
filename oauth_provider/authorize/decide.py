"""The verb behind Allow and Deny: one interaction, decided once, by the person and session it was shown to."""

import re
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.allow import Outcome, TooLateError, allow, operation_of, shown
from oauth_provider.authorize.durations import DEFAULT, Duration
from oauth_provider.authorize.errors import LocalError
from oauth_provider.authorize.models import Interaction
from oauth_provider.authorize.redirects import describe, is_registered
from oauth_provider.clients.models import Approval
from oauth_provider.connections.grant import grant_connection
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.device.decide import deny_device
from oauth_provider.identities.ceiling import within_ceiling
from oauth_provider.identities.external_id import user_ref
from oauth_provider.scopes.models import Scope

# The shape of an interaction id; anything else (a NUL, say) never reaches the database.
_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_START_AGAIN = _("Go back to the application and connect again.")


@transaction.atomic
def decide(
    *, interaction_id: str, user: User, session_digest: str, chosen: Iterable[str], duration: str, allowed: bool
) -> Outcome:
    """Decide an interaction; allowing with nothing ticked is a refusal.

    A permission the page showed and that is not ticked is taken back; one given before and not shown stays.

    Raises:
        LocalError: the interaction is not this person's, not live, or was not shown with these choices.
    """
    held = _hold_connection(interaction_id)
    interaction = _live(interaction_id, user=user, session_digest=session_digest)
    scopes = tuple(dict.fromkeys(chosen))
    shown_scopes = set(interaction.scopes.split())
    if not set(scopes) <= shown_scopes or duration not in ("", *Duration):
        message = _("The answer did not match the page you saw.")
        reason = "duration_not_shown" if set(scopes) <= shown_scopes else "scope_not_shown"
        raise _refusal(reason, message, interaction, advice=_START_AGAIN)
    _require_trusted(interaction)
    interaction.decided_at = timezone.now()
    interaction.save(update_fields=["decided_at"])
    if not allowed or not scopes:
        return _deny(interaction, reason="nothing_chosen" if allowed else "user_denied")
    _require_grantable(interaction, scopes, user)
    connection = grant_connection(
        user=user,
        client=interaction.client,
        resource=interaction.resource,
        redirect_host=describe(interaction.redirect_uri).host,
        scopes={*scopes, *(held.scope_set - shown_scopes if held and held.is_live else ())},
        shown_digest=interaction.shown_digest,
        shown_locale=interaction.shown_locale,
        expires_at=Duration(duration or DEFAULT).ends_at(interaction.decided_at),
    )
    try:
        return allow(interaction, connection, scopes=scopes)
    except TooLateError:
        message = _("This code was answered already, or has expired.")
        raise _refusal("device_code_over", message, interaction, advice=_START_AGAIN) from None


def _hold_connection(interaction_id: str) -> Connection | None:
    # Revocation locks the connection and then deletes open interactions; the same order here cannot deadlock with it.
    asked = Interaction.objects.filter(pk=interaction_id).first() if _ID.fullmatch(interaction_id) else None
    if asked is None or asked.user_id is None:
        return None
    live = Connection.objects.filter(
        user_id=asked.user_id,
        client_id=asked.client_id,
        resource_id=asked.resource_id,
        redirect_host=describe(asked.redirect_uri).host,
        revoked_at=None,
    )
    connection_id = live.values_list("pk", flat=True).first()
    return lock_connection(connection_id) if connection_id is not None else None


def _live(interaction_id: str, *, user: User, session_digest: str) -> Interaction:
    # The lock makes the second of two submissions wait and then see decided_at.
    rows = Interaction.objects.select_for_update(of=("self",)).select_related("resource", "client")
    interaction = rows.filter(pk=interaction_id).first() if _ID.fullmatch(interaction_id) else None
    if interaction is None:
        raise LocalError("unknown_interaction", message=_("This page is no longer valid."), advice=_START_AGAIN)
    if interaction.user_id != user.pk:
        message = _("This request was shown to somebody else. You are signed in as another person now.")
        raise _refusal("another_user", message, interaction, advice=_START_AGAIN, status=403)
    if interaction.session_digest != session_digest:
        message = _("You signed in again after this page was opened, so it no longer counts.")
        raise _refusal("another_session", message, interaction, advice=_START_AGAIN, status=403)
    if interaction.decided_at is not None:
        message = _("You have already answered this request. Nothing more was done.")
        raise _refusal("already_decided", message, interaction, advice=_("You can close this page."), status=409)
    if interaction.expires_at <= timezone.now():
        message = _("You took longer than ten minutes to answer.")
        raise _refusal("expired", message, interaction, advice=_START_AGAIN)
    return interaction


def _require_trusted(interaction: Interaction) -> None:
    # Staff may have acted while the page was open; what holds now decides, not what held then.
    client = interaction.client
    if client.is_suspended:
        message = _("This application has been suspended and cannot be connected.")
        raise _refusal("suspended_client", message, interaction, status=403)
    if client.approval != Approval.APPROVED:
        message = _("The operator of this server did not let this application in.")
        raise _refusal("client_not_approved", message, interaction, status=403)
    if interaction.device_id is not None:
        if not client.device_grant_allowed:
            message = _("This application may not be connected by a code.")
            raise _refusal("device_grant_not_allowed", message, interaction, status=403)
    elif not is_registered(interaction.redirect_uri, client.redirect_uris, any_port=client.is_native):
        message = _("The application asked to return you to an address it has not registered.")
        raise _refusal("unregistered_redirect_uri", message, interaction)


def _require_grantable(interaction: Interaction, scopes: tuple[str, ...], user: User) -> None:
    enabled = set(Scope.objects.filter(enabled=True, name__in=scopes).values_list("name", flat=True))
    if not set(scopes) <= enabled & within_ceiling(user, interaction.client.askable_scopes):
        message = _("One of these permissions is no longer offered.")
        raise _refusal("scope_withdrawn", message, interaction, advice=_START_AGAIN)


def _refusal(
    reason: str, message: Promise, interaction: Interaction, *, advice: Promise | str = "", status: int = 400
) -> LocalError:
    client_id = interaction.client.client_id
    locale = interaction.shown_locale
    return LocalError(reason, message=message, advice=advice, client_id=client_id, locale=locale, status=status)


def _deny(interaction: Interaction, *, reason: str) -> Outcome:
    if interaction.device_id is not None:
        deny_device(device_id=interaction.device_id)
    record(
        kind=Kind.OAUTH_AUTHORIZATION_DENIED,
        user=user_ref(interaction.user) if interaction.user else None,
        client_id=interaction.client.client_id,
        operation=operation_of(interaction),
        decision=Decision.DENY,
        reason=reason,
        scopes_required=interaction.scopes,
        audience=interaction.resource.identifier,
        note=shown(interaction),
    )
    return Outcome(interaction.redirect_uri, interaction.state, "", is_device=interaction.device_id is not None)
