"""Register a client that came by itself (RFC 7591 section 3.2.1)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Approval, Client, Origin, Trust
from oauth_provider.clients.secrets import create_secret
from oauth_provider.registration.credentials import REGISTRATION_PREFIX, digest, new_token
from oauth_provider.registration.errors import ClosedError, TooManyError
from oauth_provider.registration.fingerprint import fingerprint_of
from oauth_provider.registration.invitations import spend_invitation
from oauth_provider.registration.metadata import KEY_METHOD, Metadata
from oauth_provider.registration.models import InitialAccessToken, Registration, RegistrationPolicy
from oauth_provider.registration.policy import (
    NobodyWelcomeError,
    NotWelcomeError,
    check_newcomer,
    current_policy,
)
from oauth_provider.registration.scopes import open_scopes, registered_scopes
from oauth_provider.scopes.live import live_scopes

# A registration access token is renewed by every change made with it
TOKEN_LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Registered:
    """The client with its registration, and what is shown this once: its secret ("" without) and management token."""

    client: Client
    registration: Registration
    secret: str
    token: str


@transaction.atomic
def register_client(*, metadata: Metadata, invitation: InitialAccessToken | None) -> Registered:
    """Make the client that `metadata` describes, unverified and in quarantine until somebody allows it something.

    Raises:
        ClosedError: the policy or the list says no.
        TooManyError: there are as many unused registrations as staff allow.
        InvalidTokenError: the invitation was used up meanwhile.
    """
    policy = current_policy()
    fingerprint = fingerprint_of(metadata)
    approval = admission(fingerprint=fingerprint, invited=invitation is not None)
    if invitation is None:
        _check_room(policy)
    else:
        # Strangers who take all the room take none from those whom staff expect
        spend_invitation(invitation)
    now = timezone.now()
    client = Client(
        origin=Origin.DYNAMIC,
        trust=Trust.UNVERIFIED,
        approval=approval,
        registered_at=now,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        default_resource=policy.default_resource,
        allowed_scopes=" ".join(open_scopes()),
        hash_client_secret=False,
    )
    apply(client, metadata, fingerprint)
    client.save()
    token = new_token(REGISTRATION_PREFIX)
    registration = Registration.objects.create(
        client=client,
        metadata=described(metadata, client),
        token_digest=digest(token),
        token_expires_at=now + TOKEN_LIFETIME,
        invitation=invitation,
    )
    _record_registered(client, invitation)
    secret = create_secret(client=client, actor=None) if metadata.keeps_secret else ""
    return Registered(client, registration, secret, token)


def admission(*, fingerprint: str, invited: bool) -> Approval:
    """Whether the program comes in at once or waits for staff.

    Raises:
        ClosedError: neither.
    """
    try:
        return check_newcomer(origin=Origin.DYNAMIC, fingerprint=fingerprint, invited=invited)
    except NobodyWelcomeError as refusal:
        raise closed() from refusal
    except NotWelcomeError as refusal:
        raise ClosedError(refusal.reason, "The operator of this server does not let this client register.") from refusal


def closed() -> ClosedError:
    """The refusal of a server where nobody registers by himself."""
    return ClosedError("registration_off", "Clients cannot register themselves here.", status=404)


def apply(client: Client, metadata: Metadata, fingerprint: str) -> None:
    """Write what the client said of itself into its row, unsaved."""
    client.name = metadata.name
    client.client_type = Client.CLIENT_PUBLIC if metadata.is_public else Client.CLIENT_CONFIDENTIAL
    client.token_endpoint_auth_method = KEY_METHOD if metadata.auth_method == KEY_METHOD else ""
    client.jwks, client.jwks_uri = metadata.keys.jwks, metadata.keys.jwks_uri
    client.redirect_uris = " ".join(metadata.redirect_uris)
    client.default_scopes = " ".join(registered_scopes(metadata.scopes, live_scopes(client.askable_scopes)))
    client.fingerprint = fingerprint
    client.client_uri = metadata.links.get("client_uri", "")
    client.logo_uri = metadata.links.get("logo_uri", "")
    client.policy_uri = metadata.links.get("policy_uri", "")
    client.tos_uri = metadata.links.get("tos_uri", "")


def described(metadata: Metadata, client: Client) -> dict[str, Any]:
    """What the columns of the client cannot say, for later answers."""
    return {
        "auth_method": metadata.auth_method,
        "scope": client.default_scopes or client.allowed_scopes,
        "application_type": metadata.application_type,
        "software_id": metadata.software_id,
        "software_version": metadata.software_version,
    }


def _check_room(policy: RegistrationPolicy) -> None:
    unused = Client.objects.filter(origin=Origin.DYNAMIC, first_consented_at=None).count()
    if unused >= policy.max_unused:
        raise TooManyError("too_many_registrations", "Too many registrations are unused at present. Try again later.")


def _record_registered(client: Client, invitation: InitialAccessToken | None) -> None:
    record(
        kind=Kind.OAUTH_CLIENT_REGISTERED,
        decision=Decision.ALLOW,
        reason="waits_for_approval" if client.approval == Approval.PENDING else "",
        client_id=client.client_id,
        target=f"invitation:{invitation.pk}" if invitation else f"client:{client.client_id}",
        scopes=client.allowed_scopes,
        status=201,
        note=f"fingerprint {client.fingerprint}",
    )
