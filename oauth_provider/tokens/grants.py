"""What a token request stands on: the code or refresh token it presents, checked under the connection's lock."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone
from oauth2_provider.models import AbstractGrant, AbstractRefreshToken, get_grant_model, get_refresh_token_model

from oauth_provider.clients.models import Client
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.resources.registry import find
from oauth_provider.scopes.live import live_scopes
from oauth_provider.tokens.codes import code_checksum
from oauth_provider.tokens.models import AuthorizationCode, TokenFamily
from oauth_provider.tokens.refusals import InvalidGrantError, InvalidTargetError, ReplayError

# Two processes of one client refresh at the same moment: the loser is refused, but nothing is stolen
RACE_WINDOW = timedelta(seconds=10)
MAX_CREDENTIAL = 512


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An authorization code that may be redeemed now."""

    connection: Connection
    code: AuthorizationCode
    grant: AbstractGrant
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token that may be rotated now."""

    connection: Connection
    family: TokenFamily
    token: AbstractRefreshToken
    scopes: tuple[str, ...]


def lock_code(*, code: str, client: Client) -> CodeGrant:
    """Lock what `code` stands for and check everything about it but PKCE and the redirect URI.

    Raises:
        ReplayError: it was redeemed before (RFC 6749 section 4.1.2).
        InvalidGrantError: it cannot be redeemed.
    """
    checksum = code_checksum(code[:MAX_CREDENTIAL])
    found = AuthorizationCode.objects.filter(checksum=checksum).first()
    connection = lock_connection(found.connection_id) if found else None
    # Looked at again: a rival may have redeemed it while we waited
    row = AuthorizationCode.objects.filter(checksum=checksum).first() if connection else None
    if connection is None or row is None or connection.client_id != client.pk:
        raise InvalidGrantError("unknown_code")
    if row.redeemed_at is not None:
        raise ReplayError("code_replayed", row.family_id)
    grant = get_grant_model().objects.filter(code=checksum, application=client, user=connection.user).first()
    if grant is None or row.expires_at <= timezone.now() or grant.is_expired():
        raise InvalidGrantError("expired_code")
    scopes = effective_scopes(granted=grant.scope, connection=connection, client=client)
    return CodeGrant(connection, row, grant, scopes)


def lock_refresh_token(*, token: str, client: Client) -> RefreshGrant:
    """Lock what a refresh token stands for and check that it may be rotated.

    Raises:
        ReplayError: it was rotated before, and not just now (RFC 9700 section 4.14.2).
        InvalidGrantError: it cannot be used.
    """
    checksum = hashlib.sha256(token[:MAX_CREDENTIAL].encode()).hexdigest()
    found = _refresh_token(checksum)
    family = TokenFamily.objects.filter(pk=found.token_family).first() if found and found.token_family else None
    connection = lock_connection(family.connection_id) if family else None
    row = _refresh_token(checksum) if connection else None
    if family is None or connection is None or row is None or row.application_id != client.pk:
        raise InvalidGrantError("unknown_refresh_token")
    family.refresh_from_db()
    _check_rotation(row.revoked, family)
    if family.created_at + timedelta(seconds=client.refresh_token_lifetime_s) <= timezone.now():
        raise InvalidGrantError("expired_refresh_token")
    scopes = effective_scopes(granted=family.scopes, connection=connection, client=client)
    return RefreshGrant(connection, family, row, scopes)


def _refresh_token(checksum: str) -> AbstractRefreshToken | None:
    # The library's uniqueness is (checksum, revoked): the live row comes first
    rows = get_refresh_token_model().objects.filter(token_checksum=checksum)
    found: AbstractRefreshToken | None = rows.order_by(F("revoked").desc(nulls_first=True)).first()
    return found


def _check_rotation(rotated_at: datetime | None, family: TokenFamily) -> None:
    if family.revoked_at is not None:
        raise InvalidGrantError("revoked_refresh_token")
    if rotated_at is None:
        return
    # Deliberate revocation marks the family: here the token was rotated
    if timezone.now() - rotated_at < RACE_WINDOW:
        raise InvalidGrantError("refresh_race_lost")
    raise ReplayError("refresh_token_replayed", family.pk)


def effective_scopes(*, granted: str, connection: Connection, client: Client) -> tuple[str, ...]:
    """What of `granted` still counts: allowed to the client, given by the user, enabled by staff.

    Raises:
        InvalidGrantError: the connection ended, the user is inactive, or nothing is left.
    """
    if not connection.is_live:
        raise InvalidGrantError("revoked_connection")
    if not connection.user.is_active:
        raise InvalidGrantError("inactive_user")
    names = set(granted.split()) & client.scope_set & connection.scope_set
    scopes = tuple(sorted(names & live_scopes(names)))
    if not scopes:
        raise InvalidGrantError("no_scope_left")
    return scopes


def check_target(*, requested: str | None, connection: Connection) -> None:
    """A token request may repeat the grant's resource, never name another (RFC 8707 section 2.2).

    Raises:
        InvalidTargetError: it names another, or one we do not know.
    """
    if requested is None:
        return
    resource = find(requested)
    if resource is None or resource.pk != connection.resource_id:
        raise InvalidTargetError("foreign_resource")
