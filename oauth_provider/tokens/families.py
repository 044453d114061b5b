"""A token family: what one code bought, stored, and killed as one."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import (
    AbstractRefreshToken,
    AccessToken,
    get_access_token_model,
    get_refresh_token_model,
    set_token_value,
)

from oauth_provider.clients.models import Client
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.revisions.bump import bump
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import FamilyToken, TokenFamily
from oauth_provider.tokens.retry import seal_pair


def store_pair(
    *,
    issued: Issued,
    connection: Connection,
    family: TokenFamily,
    rotated: AbstractRefreshToken | None = None,
) -> AccessToken:
    """Store an access and, if there is one, a refresh token of `family`, as SHA-256 only.

    `rotated` is the refresh token that paid.
    The access token of the step before stays valid until it expires: two processes of one client may share it.
    """
    resource = [connection.resource.identifier]
    access: AccessToken = get_access_token_model()(
        user=connection.user,
        application=connection.client,
        scope=issued.scope,
        expires=issued.expires_at,
        resource=resource,
        source_refresh_token=rotated,
    )
    set_token_value(access, issued.access_token)
    access.save(force_insert=True)
    if issued.refresh_token:
        refresh = get_refresh_token_model()(
            user=connection.user,
            application=connection.client,
            access_token=access,
            token_family=family.pk,
            resource=resource,
        )
        set_token_value(refresh, issued.refresh_token)
        refresh.save(force_insert=True)
    FamilyToken.objects.create(access_token=access, family=family)
    return access


def rotate(*, token: AbstractRefreshToken, presented: str, issued: Issued, family: TokenFamily) -> None:
    """Retire `token`, whose raw value is `presented`, and keep what it bought for whoever repeats the request."""
    now = timezone.now()
    get_refresh_token_model().objects.filter(pk=token.pk).update(revoked=now, updated=now)
    sealed = seal_pair(issued, paid_with=presented)
    TokenFamily.objects.filter(pk=family.pk).update(refreshed_at=now, sealed_pair=sealed)


def store_service_token(*, issued: Issued, client: Client, audience: str) -> AccessToken:
    """Store the access token of a client that acts for itself (RFC 6749 section 4.4): no user, no connection."""
    access: AccessToken = get_access_token_model()(
        user=None, application=client, scope=issued.scope, expires=issued.expires_at, resource=[audience]
    )
    set_token_value(access, issued.access_token)
    access.save(force_insert=True)
    return access


@transaction.atomic
def kill_family(family_id: UUID) -> Connection | None:
    """Revoke every token of a family, now and for good; return its connection, or None when it was dead already."""
    family = TokenFamily.objects.filter(pk=family_id).first()
    connection = lock_connection(family.connection_id) if family else None
    now = timezone.now()
    living = TokenFamily.objects.filter(pk=family_id, revoked_at=None)
    if connection is None or not living.update(revoked_at=now, sealed_pair=""):
        return None
    get_refresh_token_model().objects.filter(token_family=family_id, revoked=None).update(revoked=now, updated=now)
    get_access_token_model().objects.filter(membership__family=family_id).delete()
    bump("revocation")
    return connection
