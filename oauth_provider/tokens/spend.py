"""What pays for a token, spent inside the endpoint's transaction and under the connection's lock."""

from typing import Any

from django.utils import timezone
from oauth2_provider.models import get_grant_model

from oauth_provider.tokens.families import rotate, store_pair
from oauth_provider.tokens.grants import CodeGrant, RefreshGrant
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import AuthorizationCode, TokenFamily
from oauth_provider.tokens.refusals import InvalidGrantError


def check_challenge(locked: CodeGrant, *, verifier: str | None) -> None:
    """Refuse what PKCE forbids before oauthlib compares the challenge with its verifier.

    Raises:
        InvalidGrantError: plain, or a verifier for a code without challenge.
    """
    challenge, method = locked.grant.code_challenge, locked.grant.code_challenge_method
    if challenge and method != "S256":
        raise InvalidGrantError("weak_challenge")
    if not challenge and verifier:
        # Somebody removed the challenge on the way (RFC 9700 section 4.8.2)
        raise InvalidGrantError("challenge_stripped")


def spend_code(locked: CodeGrant, *, issued: Issued, with_key: bool) -> None:
    """Redeem a code: it begins a family; `with_key` when the client signed for it."""
    family = TokenFamily.objects.create(
        connection=locked.connection,
        scopes=issued.scope,
        signed_in_at=locked.code.signed_in_at,
        bought_with_key=with_key,
    )
    AuthorizationCode.objects.filter(pk=locked.code.pk).update(redeemed_at=timezone.now(), family=family)
    get_grant_model().objects.filter(pk=locked.grant.pk).delete()
    store_pair(issued=issued, connection=locked.connection, family=family)


def spend_refresh_token(locked: RefreshGrant, *, issued: Issued) -> None:
    """Rotate a refresh token: its family goes on."""
    store_pair(issued=issued, connection=locked.connection, family=locked.family, rotated=locked.token)
    rotate(token=locked.token, presented=locked.presented, issued=issued, family=locked.family)


def answered_again(issued: Issued) -> dict[str, Any]:
    """The members of the answer that a repeated refresh gets."""
    left = int((issued.expires_at - timezone.now()).total_seconds())
    return {
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "scope": issued.scope,
        "expires_in": max(left, 0),
    }
