"""Open an interaction: what was asked and shown, kept here until the person decides."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from oauth_provider.authorize.models import Interaction
from oauth_provider.authorize.run import Acceptable
from oauth_provider.device.models import DeviceCode
from oauth_provider.identities.signed_in import moment_of_sign_in

LIFETIME = timedelta(minutes=10)


def session_digest(session: SessionBase) -> str:
    """Return the hex SHA-256 of the session key: binds an interaction to a session without storing its credential."""
    if session.session_key is None:
        session.save()
    return hashlib.sha256(str(session.session_key).encode()).hexdigest()


def open_interaction(
    *,
    acceptable: Acceptable,
    user: User,
    session: SessionBase,
    shown_digest: str,
    shown_locale: str,
    device: DeviceCode | None = None,
) -> Interaction:
    """Store the request for ten minutes, or as long as the `device`'s code is good, for this person in this session."""
    asked = acceptable.answerable.request
    expires_at = timezone.now() + LIFETIME
    return Interaction.objects.create(
        id=secrets.token_urlsafe(32),
        user=user,
        session_digest=session_digest(session),
        client=acceptable.answerable.client,
        redirect_uri=acceptable.answerable.redirect_uri,
        scopes=" ".join(scope.name for scope in acceptable.scopes),
        resource=acceptable.resource,
        state=asked.state,
        code_challenge=asked.code_challenge,
        code_challenge_method=asked.code_challenge_method,
        nonce=asked.nonce,
        signed_in_at=moment_of_sign_in(session),
        expires_at=min(expires_at, device.expires_at) if device else expires_at,
        device=device,
        shown_digest=shown_digest,
        shown_locale=shown_locale,
    )
