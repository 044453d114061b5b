"""The verb behind Allow and Deny: one interaction, decided once, by the person and session it was shown to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import get_grant_model

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.errors import LocalError
from oauth_provider.authorize.models import Interaction
from oauth_provider.authorize.redirects import describe, is_registered
from oauth_provider.connections.grant import grant_connection
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.identities.external_id import user_ref
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.codes import LIFETIME, code_checksum, new_code
from oauth_provider.tokens.models import AuthorizationCode

# The shape of an interaction id; anything else (a NUL, say) never reaches the database.
_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_START_AGAIN = _("Go back to the application and connect again.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where to answer, and the code; an empty code means the person said no."""

    redirect_uri: str
    state: str
    code: str


@transaction.atomic
def decide(*, interaction_id: str, user: User, session_digest: str, chosen: Iterable[str], allow: bool) -> Outcome:
    """Decide an interaction; allowing with nothing ticked is a refusal.

    Raises:
        LocalError: the interaction is not this person's, not live, or was not shown with these scopes.
    """
    _hold_connection(interaction_id)
    interaction = _live(interaction_id, user=user, session_digest=session_digest)
    scopes = tuple(dict.fromkeys(chosen))
    if not set(scopes) <= set(interaction.scopes.split()):
        raise _refusal("scope_not_shown", _("The answer did not match the page you saw."), interaction)
    _require_trusted(interaction)
    interaction.decided_at = timezone.now()
    interaction.save(update_fields=["decided_at"])
    if not allow or not scopes:
        _record(Kind.OAUTH_AUTHORIZATION_DENIED, interaction, reason="nothing_chosen" if allow else "user_denied")
        return Outcome(redirect_uri=interaction.redirect_uri, state=interaction.state, code="")
    _require_grantable(interaction, scopes)
    connection = grant_connection(
        user=user,
        client=interaction.client,
        resource=interaction.resource,
        redirect_host=describe(interaction.redirect_uri).host,
        scopes=scopes,
        shown_digest=interaction.shown_digest,
        shown_locale=interaction.shown_locale,
    )
    code = _issue_code(interaction, connection, scopes)
    _record(Kind.OAUTH_AUTHORIZATION_ALLOWED, interaction, scopes=scopes, connection=connection)
    return Outcome(redirect_uri=interaction.redirect_uri, state=interaction.state, code=code)


def _hold_connection(interaction_id: str) -> None:
    # Revocation locks the connection and then deletes open interactions; the same order here cannot deadlock with it.
    asked = Interaction.objects.filter(pk=interaction_id).first() if _ID.fullmatch(interaction_id) else None
    if asked is None or asked.user_id is None:
        return
    live = Connection.objects.filter(
        user_id=asked.user_id,
        client_id=asked.client_id,
        resource_id=asked.resource_id,
        redirect_host=describe(asked.redirect_uri).host,
        revoked_at=None,
    )
    connection_id = live.values_list("pk", flat=True).first()
    if connection_id is not None:
        lock_connection(connection_id)


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
    if not is_registered(interaction.redirect_uri, client.redirect_uris):
        message = _("The application asked to return you to an address it has not registered.")
        raise _refusal("unregistered_redirect_uri", message, interaction)


def _require_grantable(interaction: Interaction, scopes: tuple[str, ...]) -> None:
    enabled = set(Scope.objects.filter(enabled=True, name__in=scopes).values_list("name", flat=True))
    if not set(scopes) <= enabled & interaction.client.scope_set:
        message = _("One of these permissions is no longer offered.")
        raise _refusal("scope_withdrawn", message, interaction, advice=_START_AGAIN)


def _refusal(
    reason: str, message: Promise, interaction: Interaction, *, advice: Promise | str = "", status: int = 400
) -> LocalError:
    client_id = interaction.client.client_id
    return LocalError(reason, message=message, advice=advice, client_id=client_id, status=status)


def _issue_code(interaction: Interaction, connection: Connection, scopes: tuple[str, ...]) -> str:
    code = new_code()
    checksum = code_checksum(code)
    expires_at = timezone.now() + LIFETIME
    get_grant_model().objects.create(
        user_id=interaction.user_id,
        code=checksum,
        application_id=interaction.client_id,
        expires=expires_at,
        redirect_uri=interaction.redirect_uri,
        scope=" ".join(scopes),
        code_challenge=interaction.code_challenge,
        code_challenge_method=interaction.code_challenge_method,
        nonce=interaction.nonce,
        resource=[interaction.resource.identifier],
    )
    AuthorizationCode.objects.create(checksum=checksum, connection=connection, expires_at=expires_at)
    return code


def _record(
    kind: Kind,
    interaction: Interaction,
    *,
    scopes: tuple[str, ...] = (),
    connection: Connection | None = None,
    reason: str = "",
) -> None:
    record(
        kind=kind,
        user=user_ref(interaction.user) if interaction.user else None,
        client_id=interaction.client.client_id,
        connection=str(connection.pk) if connection else "",
        decision=Decision.DENY if reason else Decision.ALLOW,
        reason=reason,
        scopes=" ".join(scopes),
        scopes_required=interaction.scopes,
        audience=interaction.resource.identifier,
    )
