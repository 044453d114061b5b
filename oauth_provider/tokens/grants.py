"""What a token request stands on: the code or refresh token it presents, checked under the connection's lock."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet
from django.utils import timezone
from oauth2_provider.models import AbstractGrant, AbstractRefreshToken, get_grant_model, get_refresh_token_model

from oauth_provider.clients.models import Client
from oauth_provider.connections.lock import locking_connection
from oauth_provider.connections.models import Connection
from oauth_provider.identities.ceiling import within_ceiling
from oauth_provider.identities.external_id import user_ref
from oauth_provider.openid.id_token import SignIn
from oauth_provider.resources.registry import find
from oauth_provider.scopes.live import live_scopes
from oauth_provider.scopes.openid import OFFLINE_ACCESS
from oauth_provider.tokens.codes import code_checksum
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import AuthorizationCode, TokenFamily
from oauth_provider.tokens.refusals import InvalidGrantError, InvalidTargetError, ReplayError
from oauth_provider.tokens.retry import RETRY_WINDOW, open_pair
from oauth_provider.written_once import WrittenOnce

MAX_CREDENTIAL = 512


def _refresh_tokens(checksum: str) -> QuerySet[AbstractRefreshToken]:
    # The library's uniqueness is (checksum, revoked): the live row comes first
    rows: QuerySet[AbstractRefreshToken] = get_refresh_token_model().objects.filter(token_checksum=checksum)
    return rows.order_by(F("revoked").desc(nulls_first=True))


def _families(checksum: str) -> QuerySet[TokenFamily]:
    return locking_connection(TokenFamily.objects.filter(pk__in=_refresh_tokens(checksum).values("token_family")))


_CODES = WrittenOnce(lambda checksum: locking_connection(AuthorizationCode.objects.filter(checksum=checksum)))
_GRANTS: WrittenOnce[AbstractGrant] = WrittenOnce(lambda checksum: get_grant_model().objects.filter(code=checksum))
_FAMILIES = WrittenOnce(_families)
_REFRESH_TOKENS = WrittenOnce(_refresh_tokens)


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An authorization code that may be redeemed now."""

    connection: Connection
    code: AuthorizationCode
    grant: AbstractGrant
    scopes: tuple[str, ...]

    @property
    def is_offline(self) -> bool:
        """Whether there is a refresh token beside the access token."""
        return self.code.is_offline

    @property
    def sign_in(self) -> SignIn:
        """What an ID token says of it."""
        subject = user_ref(self.connection.user).external_id
        return SignIn(subject, at=self.code.signed_in_at, nonce=self.grant.nonce or "")


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token that may be rotated now; with `repeated`, what it bought a moment ago, to be answered again."""

    connection: Connection
    family: TokenFamily
    token: AbstractRefreshToken
    presented: str
    scopes: tuple[str, ...]
    repeated: Issued | None

    @property
    def sign_in(self) -> SignIn:
        """The first one, without its nonce (OpenID Connect Core section 12.2)."""
        return SignIn(user_ref(self.connection.user).external_id, at=self.family.signed_in_at)

    @property
    def ends_at(self) -> datetime:
        """When it buys nothing any more, unused; never after what the person gave."""
        until = self.family.refreshable_until(self.connection.client)
        return min(until, self.connection.expires_at or until)


def lock_code(*, code: str, client: Client) -> CodeGrant:
    """Lock what `code` stands for and check everything about it but PKCE and the redirect URI.

    Raises:
        ReplayError: it was redeemed before (RFC 6749 section 4.1.2).
        InvalidGrantError: it cannot be redeemed.
    """
    checksum = code_checksum(code[:MAX_CREDENTIAL])
    row = _CODES.first(checksum)
    if row is None or row.connection.client_id != client.pk:
        raise InvalidGrantError("unknown_code")
    if row.redeemed_at is not None:
        raise ReplayError("code_replayed", row.family_id)
    connection = row.connection
    connection.client = client
    grant = _GRANTS.first(checksum)
    if grant is None or (grant.application_id, grant.user_id) != (client.pk, connection.user_id):
        raise InvalidGrantError("expired_code")
    if row.expires_at <= timezone.now() or grant.is_expired():
        raise InvalidGrantError("expired_code")
    scopes = effective_scopes(granted=grant.scope, connection=connection, client=client)
    return CodeGrant(connection, row, grant, scopes)


def lock_refresh_token(*, token: str, client: Client) -> RefreshGrant:
    """Lock what a refresh token stands for and check that it may be rotated, or was rotated only just now.

    Raises:
        ReplayError: it was rotated before, and not just now (RFC 9700 section 4.14.2).
        InvalidGrantError: it cannot be used.
    """
    presented = token[:MAX_CREDENTIAL]
    checksum = hashlib.sha256(presented.encode()).hexdigest()
    family = _FAMILIES.first(checksum)
    # Read under the lock
    row = _REFRESH_TOKENS.first(checksum) if family else None
    if family is None or row is None or {row.application_id, family.connection.client_id} != {client.pk}:
        raise InvalidGrantError("unknown_refresh_token")
    connection = family.connection
    connection.client = client
    repeated = _repeated(presented, row.revoked, family)
    if family.refreshable_until(client) <= timezone.now():
        raise InvalidGrantError("expired_refresh_token")
    if OFFLINE_ACCESS in family.scopes.split() and OFFLINE_ACCESS not in connection.scope_set:
        raise InvalidGrantError("offline_access_taken_back")
    scopes = effective_scopes(granted=family.scopes, connection=connection, client=client)
    return RefreshGrant(connection, family, row, presented, scopes, repeated)


def _repeated(presented: str, rotated_at: datetime | None, family: TokenFamily) -> Issued | None:
    # Deliberate revocation marks the family, and knows no grace
    if family.revoked_at is not None:
        raise InvalidGrantError("revoked_refresh_token")
    if rotated_at is None:
        return None
    # The family keeps its last pair only: what a token bought that was used in its turn is not given twice
    issued = open_pair(family.sealed_pair, paid_with=presented)
    if issued is None or timezone.now() - rotated_at >= RETRY_WINDOW:
        raise ReplayError("refresh_token_replayed", family.pk)
    return issued


def effective_scopes(*, granted: str, connection: Connection, client: Client) -> tuple[str, ...]:
    """What of `granted` still counts: allowed to the client, given by the user and theirs to give, enabled by staff.

    Raises:
        InvalidGrantError: the connection ended, the user is inactive, or nothing is left.
    """
    if not connection.is_live:
        raise InvalidGrantError("revoked_connection")
    if not connection.user.is_active:
        raise InvalidGrantError("inactive_user")
    names = within_ceiling(connection.user, set(granted.split()) & client.askable_scopes & connection.scope_set)
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
