"""What a client does with its own registration: read it, replace it, end it (RFC 7592)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client, ClientSecret, Trust
from oauth_provider.clients.secrets import create_secret, matches
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.registration.credentials import MAX_TOKEN, REGISTRATION_PREFIX, digest
from oauth_provider.registration.errors import ClosedError, InvalidMetadataError, InvalidTokenError
from oauth_provider.registration.fingerprint import fingerprint_of
from oauth_provider.registration.metadata import Metadata, negotiate
from oauth_provider.registration.models import Registration
from oauth_provider.registration.outlived import end_outlived, proof_of
from oauth_provider.registration.register import TOKEN_LIFETIME, admission, apply, described
from oauth_provider.revisions.bump import bump

# RFC 7592 section 2.2: the server's own, never the client's to say
_OURS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")


@dataclass(frozen=True, slots=True)
class Changed:
    """The client as it is now, and a secret it did not have before ("" otherwise)."""

    client: Client
    registration: Registration
    secret: str


def managed(*, client_id: str, token: str, locked: bool = False) -> Registration:
    """The registration of `client_id`, for its registration access token; with `locked`, held for the transaction.

    Raises:
        InvalidTokenError: unknown client, another's token, an expired one: one answer for all.
        ClosedError: staff suspended the client.
    """
    usable = token.startswith(REGISTRATION_PREFIX) and len(token) <= MAX_TOKEN and len(client_id) <= 255
    rows = Registration.objects.select_related("client")
    if locked:
        rows = rows.select_for_update(of=("self", "client"))
    found = rows.filter(token_digest=digest(token), ended_at=None).first() if usable else None
    if found is None or found.client.client_id != client_id or found.token_expires_at <= timezone.now():
        raise InvalidTokenError("invalid_registration_token", "The registration access token is not this client's.")
    if found.client.is_suspended:
        raise ClosedError("suspended_client", "The operator of this server suspended this client.")
    return found


@transaction.atomic
def change_registration(*, registration: Registration, fields: Mapping[str, Any]) -> Changed:
    """Replace everything the client said of itself by `fields`; what staff decided about it stays.

    Who changes what staff or people looked at is unverified again, and judged anew by the policy. Connections made
    under the old words end where these protected them.

    Raises:
        RegistrationError: see `negotiate`; or the policy does not let the changed client in.
    """
    client, before = registration.client, proof_of(registration.client)
    _check_addressed(client, fields)
    metadata = negotiate(fields)
    fingerprint = fingerprint_of(metadata)
    if fingerprint != client.fingerprint:
        client.approval = admission(fingerprint=fingerprint, invited=_is_invited(registration))
        client.trust, client.trust_reviewed_by, client.trust_reviewed_at = Trust.UNVERIFIED, None, None
    apply(client, metadata, fingerprint)
    client.save()
    registration.metadata = described(metadata, client)
    registration.token_expires_at = timezone.now() + TOKEN_LIFETIME
    registration.save(update_fields=["metadata", "token_expires_at"])
    secret = _secret_for(client, metadata)
    end_outlived(client=client, before=before)
    record(
        kind=Kind.OAUTH_CLIENT_CHANGED,
        decision=Decision.ALLOW,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        status=200,
        note=f"fingerprint {fingerprint}",
    )
    bump("revocation")
    return Changed(client, registration, secret)


@transaction.atomic
def end_registration(*, registration: Registration) -> None:
    """End everything the client may do, for good; one that nobody ever used leaves nothing behind."""
    client = registration.client
    for connection in Connection.objects.filter(client=client, revoked_at=None).order_by("pk"):
        revoke_connection(connection=connection, actor=None, by="client", reason="")
    record(
        kind=Kind.OAUTH_CLIENT_DELETED,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        reason="by_client",
        status=204,
    )
    if Connection.objects.filter(client=client).exists():
        # People still find it among what they once allowed, until it is forgotten
        now = timezone.now()
        Registration.objects.filter(pk=registration.pk).update(ended_at=now)
        Client.objects.filter(pk=client.pk, suspended_at=None).update(
            suspended_at=now, suspension_reason="It ended its registration itself."
        )
    else:
        client.delete()
    bump("revocation")


def _check_addressed(client: Client, fields: Mapping[str, Any]) -> None:
    if fields.get("client_id") != client.client_id:
        raise InvalidMetadataError("client_id_mismatch", "client_id must be the one of this registration.")
    for name in _OURS:
        if name in fields:
            raise InvalidMetadataError("server_field", f"{name} is not the client's to set: leave it out.")
    secret = fields.get("client_secret", "")
    if secret and not (isinstance(secret, str) and matches(client=client, secret=secret)):
        raise InvalidMetadataError("client_secret_mismatch", "client_secret is not this client's: leave it out.")


def _is_invited(registration: Registration) -> bool:
    # Who came by an invitation that got into the wrong hands stays what it was; another program it becomes for nobody
    return registration.invitation is not None and registration.invitation.revoked_at is None


def _secret_for(client: Client, metadata: Metadata) -> str:
    live = ClientSecret.objects.filter(client=client, retired_at=None)
    if metadata.keeps_secret:
        return "" if live.exists() else create_secret(client=client, actor=None)
    live.update(retired_at=timezone.now())
    return ""
