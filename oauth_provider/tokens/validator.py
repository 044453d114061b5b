"""The edges of django-oauth-toolkit's validator that are wrong for this product, owned here.

oauthlib calls these methods in the order of RFC 6749; each decides one thing and none stores anything twice.
One instance serves one request of the token endpoint: `outcome` tells the view what happened, for the ledger.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from typing_extensions import override

from oauth_provider.clients.models import Client, Preset
from oauth_provider.connections.models import Connection
from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.device.redeem import (
    DeviceGrant,
    DevicePollError,
    StillWaitingError,
    lock_device_code,
    spend_device_code,
)
from oauth_provider.identities.external_id import user_ref
from oauth_provider.openid.id_token import sign_id_token
from oauth_provider.resources.registry import find
from oauth_provider.scopes.live import live_scopes
from oauth_provider.scopes.openid import OPENID
from oauth_provider.tokens.admission import admit
from oauth_provider.tokens.client_authentication import (
    AmbiguousAuthenticationError,
    UnknownClientError,
    authenticate_client,
)
from oauth_provider.tokens.exchange import TOKEN_EXCHANGE, Subject, find_subject, store_exchanged
from oauth_provider.tokens.families import store_service_token
from oauth_provider.tokens.grants import CodeGrant, RefreshGrant, check_target, lock_code, lock_refresh_token
from oauth_provider.tokens.grounds import Grounds, grounds_of, lifetime
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import TokenFamily
from oauth_provider.tokens.outcome import Outcome
from oauth_provider.tokens.refusals import (
    InvalidGrantError,
    InvalidSubjectError,
    InvalidTargetError,
    ReplayError,
    TokenRefusedError,
)
from oauth_provider.tokens.spend import answered_again, check_challenge, spend_code, spend_refresh_token
from oauth_provider.tokens.verify import InvalidToken, fingerprint, verify_access_token


class Validator(OAuth2Validator):
    """Client authentication, codes, refresh tokens and storage by our rules; the protocol is the library's."""

    def __init__(self, received: HttpRequest | None = None) -> None:
        super().__init__()
        self.outcome = Outcome()
        self._received = received
        # Who signed the assertion of the request, where there is one
        self.proven: Client | None = None
        self._code: CodeGrant | None = None
        self._refresh: RefreshGrant | None = None
        self._device: DeviceGrant | None = None
        self._subject: Subject | None = None

    # Who calls (RFC 6749 section 2.3)

    @override
    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Always: a public client authenticates with the method `none`, by the same function."""
        return True

    @override
    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Sets `request.client`; False means 401 invalid_client. What `admit` refuses goes past oauthlib."""
        try:
            client = authenticate_client(
                authorization=request.headers.get("HTTP_AUTHORIZATION") or "",
                parameters=dict(request.decoded_body or []),
                proven=self.proven,
            )
        except UnknownClientError as error:
            self._refused(error.reason, error.client_id)
            return False
        except AmbiguousAuthenticationError as error:
            self._refused(error.reason, error.client_id)
            raise errors.InvalidRequestError("Authenticate in exactly one way.", request=request) from error
        self.outcome.client_id = client.client_id
        if self._received is not None:
            admit(self._received, client, rate="token")
        request.client, request.client_id = client, client.client_id
        return True

    @override
    def authenticate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        """Never reached by our endpoints; the same rules if it is."""
        return self.authenticate_client(request)

    @override
    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """The library's mapping; client credentials only for a confidential service."""
        if grant_type == TOKEN_EXCHANGE:
            return (client.is_confidential and client.may_exchange_tokens) or self._refused("grant_type_not_allowed")
        if grant_type == DEVICE_CODE:
            return client.device_grant_allowed or self._refused("device_grant_not_allowed")
        allowed = bool(super().validate_grant_type(client_id, grant_type, client, request, *args, **kwargs))
        if grant_type == "client_credentials":
            allowed = allowed and client.is_confidential and client.preset == Preset.SERVICE
        if not allowed:
            return self._refused("grant_type_not_allowed")
        if grant_type == "client_credentials":
            self._acts_for_itself(client, request)
        return True

    # Codes (RFC 6749 section 4.1.3, RFC 7636)

    @override
    def validate_code(
        self, client_id: str, code: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Locks what the code stands for; False means invalid_grant."""
        try:
            locked = lock_code(code=code, client=client)
            self._stands_on(locked.connection, locked.scopes, request)
            check_challenge(locked, verifier=request.code_verifier)
            check_target(requested=request.resource, connection=locked.connection)
        except TokenRefusedError as error:
            return self._turned_away(error, request)
        self._code = locked
        request.user, request.scopes = locked.connection.user, list(locked.scopes)
        return True

    @override
    def get_code_challenge(self, code: str, request: Request) -> str | None:
        """The challenge the code was asked with."""
        return (self._code.grant.code_challenge or None) if self._code else None

    @override
    def get_code_challenge_method(self, code: str, request: Request) -> str | None:
        """S256, checked when the code was locked."""
        return (self._code.grant.code_challenge_method or None) if self._code else None

    @override
    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        """Without a query when the client is known already."""
        client = request.client
        return (
            client.requires_pkce if isinstance(client, Client) else bool(super().is_pkce_required(client_id, request))
        )

    @override
    def get_default_redirect_uri(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> str | None:
        """OAuth 2.1 dropped `redirect_uri` from the token request: PKCE binds the code instead."""
        if self._code is None:
            uri: str | None = super().get_default_redirect_uri(client_id, request, *args, **kwargs)
            return uri
        return str(self._code.grant.redirect_uri) if self._code.grant.code_challenge else None

    @override
    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Byte for byte the one the code was asked with; a mismatch is invalid_grant (RFC 6749 section 5.2)."""
        if self._code is None or redirect_uri != self._code.grant.redirect_uri:
            self._refused("redirect_uri_mismatch")
            raise errors.InvalidGrantError(request=request)
        return True

    @override
    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """Done by `save_bearer_token`, under the lock and before anything is stored."""

    # Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14)

    @override
    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Locks what the refresh token stands for; False means invalid_grant."""
        try:
            locked = lock_refresh_token(token=refresh_token, client=client)
            if locked.family.bought_with_key and self.proven is None:
                raise InvalidGrantError("key_required")
            self._stands_on(locked.connection, locked.scopes, request, family=locked.family)
            check_target(requested=request.resource, connection=locked.connection)
        except TokenRefusedError as error:
            return self._turned_away(error, request)
        self._refresh = locked
        request.user = locked.connection.user
        return True

    @override
    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """What a refresh may ask for: bought, and still allowed, given and enabled."""
        return list(self._refresh.scopes) if self._refresh else []

    # Device codes (RFC 8628 section 3.4)

    def validate_device_code(self, code: str, client: Client, request: Request) -> bool:
        """Locks what the code stands for; False means invalid_grant. A poll that brings nothing goes past us."""
        try:
            locked = lock_device_code(code=code, client=client)
            self._stands_on(locked.connection, locked.scopes, request)
            check_target(requested=request.resource, connection=locked.connection)
        except DevicePollError as error:
            self._refused(error.reason)
            self.outcome.is_waiting = isinstance(error, StillWaitingError)
            raise
        except TokenRefusedError as error:
            return self._turned_away(error, request)
        self._device = locked
        request.user, request.scopes = locked.connection.user, list(locked.scopes)
        return True

    # Access tokens exchanged for others (RFC 8693)

    def validate_subject_token(self, subject_token: str, client: Client, request: Request) -> bool:
        """Finds what the access token stands for; False means invalid_request (section 2.2.2)."""
        try:
            found = find_subject(token=subject_token, client=client)
        except InvalidSubjectError as error:
            return self._refused(error.reason)
        self._subject = found
        self.outcome.user, self.outcome.connection = found.verified.user, found.verified.connection
        self.outcome.audience, self.outcome.scopes = found.resource.identifier, " ".join(found.scopes)
        self.outcome.target = f"token:{found.verified.fingerprint}"
        self.outcome.clients = " > ".join((*found.clients, client.client_id))
        if request.resource is not None and find(request.resource) != found.resource:
            raise self._foreign_target(InvalidTargetError("foreign_resource"), request)
        request.user, request.grounds = found.row.user, found.grounds(client)
        return True

    def exchangeable_scopes(self) -> list[str]:
        """What an exchanged token may ask for: what the subject token opens and its new owner may do."""
        return list(self._subject.scopes) if self._subject else []

    # Scopes of a client that acts for itself (RFC 6749 section 4.4)

    @override
    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        """A service that names none gets its defaults, else all that staff allowed it."""
        if request.grant_type == "client_credentials" and not request.client.default_scopes.split():
            return sorted(live_scopes(request.client.scope_set))
        return list(super().get_default_scopes(client_id, request, *args, **kwargs))

    @override
    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """At least one, and all of them the client's."""
        return bool(scopes) and bool(super().validate_scopes(client_id, scopes, client, request, *args, **kwargs))

    # Storage

    @override
    def save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        """Spend what paid for the token and store the new one, inside the endpoint's transaction."""
        grounds = grounds_of(request)
        began = self._code or self._device
        if began is not None and not began.is_offline:
            token.pop("refresh_token", None)
        issued = Issued(
            access_token=token["access_token"],
            refresh_token=token.get("refresh_token", ""),
            scope=token["scope"],
            expires_at=grounds.expires_at,
        )
        if self._code is not None:
            spend_code(self._code, issued=issued, with_key=self.proven is not None)
        elif self._device is not None:
            spend_device_code(self._device, issued=issued)
        elif self._refresh is not None and self._refresh.repeated is not None:
            issued = self._refresh.repeated
            token.update(answered_again(issued))
            self.outcome.repeated = True
        elif self._refresh is not None:
            spend_refresh_token(self._refresh, issued=issued)
        elif self._subject is not None:
            store_exchanged(issued=issued, client=request.client, subject=self._subject)
        else:
            store_service_token(issued=issued, client=request.client, audience=grounds.audience)
        paid = began or self._refresh
        if paid is not None and OPENID in issued.scope.split():
            token["id_token"] = sign_id_token(
                paid.sign_in, client_id=request.client_id, access_token=issued.access_token
            )
        self.outcome.scopes, self.outcome.token = issued.scope, fingerprint(issued.access_token)

    # Bearers, for whoever asks the library: the same answer as the data plane's

    @override
    def validate_bearer_token(self, token: str | None, scopes: list[str] | None, request: Request) -> bool:
        """One function decides about bearers, `verify_access_token`."""
        try:
            verified = verify_access_token(token or "")
        except InvalidToken:
            request.oauth2_error = {"error": "invalid_token", "error_description": "The access token is invalid."}
            return False
        if not verified.scopes.issuperset(scopes or ()):
            request.oauth2_error = {"error": "insufficient_scope"}
            return False
        row = self._load_access_token(token)
        if row is None:
            return False
        request.access_token, request.user, request.client = row, row.user, row.application
        request.scopes = sorted(verified.scopes)
        return True

    @override
    def validate_jwt_bearer_token(self, token: str, scopes: list[str], request: Request) -> bool:
        """An ID token is not an access token."""
        return False

    def _stands_on(
        self,
        connection: Connection,
        scopes: tuple[str, ...],
        request: Request,
        *,
        family: TokenFamily | None = None,
    ) -> None:
        client, user, now = request.client, user_ref(connection.user), timezone.now()
        self.outcome.connection, self.outcome.user = str(connection.pk), user
        self.outcome.audience, self.outcome.scopes = connection.resource.identifier, " ".join(scopes)
        request.grounds = Grounds(
            audience=connection.resource.identifier,
            signed=connection.resource.signs_tokens,
            subject=user.external_id,
            issued_at=now,
            expires_at=lifetime(
                now=now,
                lifetime_s=client.access_token_lifetime_s,
                ends=(connection.expires_at, family.ends_at(client) if family else None),
            ),
        )

    def _acts_for_itself(self, client: Client, request: Request) -> None:
        own = find(f"{settings.PUBLIC_BASE_URL}{client.default_resource}") if client.default_resource else None
        if own is None or (request.resource is not None and find(request.resource) != own):
            raise self._foreign_target(InvalidTargetError("foreign_resource"), request)
        now = timezone.now()
        self.outcome.audience = own.identifier
        request.grounds = Grounds(
            audience=own.identifier,
            signed=own.signs_tokens,
            subject=client.client_id,
            issued_at=now,
            expires_at=lifetime(now=now, lifetime_s=client.access_token_lifetime_s),
        )

    def _refused(self, reason: str, client_id: str = "") -> bool:
        self.outcome.reason = reason
        self.outcome.client_id = self.outcome.client_id or client_id
        return False

    def _turned_away(self, error: TokenRefusedError, request: Request) -> bool:
        if isinstance(error, InvalidTargetError):
            raise self._foreign_target(error, request) from error
        if isinstance(error, ReplayError):
            self.outcome.replayed, self.outcome.family_id = True, error.family_id
        return self._refused(error.reason)

    def _foreign_target(self, error: InvalidTargetError, request: Request) -> errors.CustomOAuth2Error:
        self._refused(error.reason)
        return errors.CustomOAuth2Error(
            error="invalid_target", description="The resource is not the one that was granted.", request=request
        )
