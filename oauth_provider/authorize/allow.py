"""What follows when a person allows, now or by what she allowed before: a code for the client, and the event."""

from dataclasses import dataclass

from django.utils import timezone
from oauth2_provider.models import get_grant_model

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.first_consent import note_first_consent
from oauth_provider.connections.models import Connection
from oauth_provider.device.decide import approve_device
from oauth_provider.identities.external_id import user_ref
from oauth_provider.scopes.openid import OFFLINE_ACCESS
from oauth_provider.tokens.codes import LIFETIME, code_checksum, new_code
from oauth_provider.tokens.models import AuthorizationCode


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where to answer, and the code: empty when the person said no, and for a device, which asks for its answer."""

    redirect_uri: str
    state: str
    code: str
    is_device: bool = False
    is_allowed: bool = False


class TooLateError(Exception):
    """The device's code was decided by somebody else, or has expired."""


def allow(interaction: Interaction, connection: Connection, *, scopes: tuple[str, ...], reason: str = "") -> Outcome:
    """Give the client `scopes` of `connection`; the caller holds the connection's lock.

    `reason` is empty for a click on the page. The event names what was shown: its digest and its language.

    Raises:
        TooLateError: nothing is left to be allowed.
    """
    is_device = interaction.device_id is not None
    if interaction.device_id is None:
        code = _issue_code(interaction, connection, scopes)
    else:
        code = ""
        _approve(interaction, connection, scopes, interaction.device_id)
    note_first_consent(client=interaction.client)
    record(
        kind=Kind.OAUTH_AUTHORIZATION_ALLOWED,
        user=user_ref(connection.user),
        client_id=interaction.client.client_id,
        connection=str(connection.pk),
        operation=operation_of(interaction),
        decision=Decision.ALLOW,
        reason=reason,
        scopes=" ".join(scopes),
        scopes_required=interaction.scopes,
        audience=interaction.resource.identifier,
        note=shown(interaction),
    )
    return Outcome(interaction.redirect_uri, interaction.state, code, is_device=is_device, is_allowed=True)


def _issue_code(interaction: Interaction, connection: Connection, scopes: tuple[str, ...]) -> str:
    # Stored as its checksum only
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
    AuthorizationCode.objects.create(
        checksum=checksum,
        connection=connection,
        expires_at=expires_at,
        signed_in_at=interaction.signed_in_at,
        is_offline=is_offline(interaction, scopes),
    )
    return code


def _approve(interaction: Interaction, connection: Connection, scopes: tuple[str, ...], device_id: int) -> None:
    if not approve_device(
        device_id=device_id,
        connection=connection,
        scopes=scopes,
        signed_in_at=interaction.signed_in_at,
        is_offline=is_offline(interaction, scopes),
    ):
        raise TooLateError


def is_offline(interaction: Interaction, scopes: tuple[str, ...]) -> bool:
    """Whether the client gets a refresh token: always, but when it asked for leave to stay and was not given it."""
    return OFFLINE_ACCESS in scopes or OFFLINE_ACCESS not in interaction.scopes.split()


def shown(interaction: Interaction) -> str:
    """The digest of the words a decision rests on, and their language, as events keep it."""
    return f"shown {interaction.shown_digest} {interaction.shown_locale}"


def operation_of(interaction: Interaction) -> str:
    """What events call the road: a device's has a name."""
    return "device_code" if interaction.device_id is not None else ""
