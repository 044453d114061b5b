"""Side tables of django-oauth-toolkit's token models, which stay as the library ships them."""

import uuid

from django.conf import settings
from django.db import models

from oauth_provider.connections.models import Connection


class TokenFamily(models.Model):
    """All tokens that one authorization code bought, through every refresh; the unit that a replay kills."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="families")
    # What the code bought: a refresh may ask for less without losing the rest (RFC 6749 section 6)
    scopes = models.TextField(db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class FamilyToken(models.Model):
    """The family of an access token."""

    access_token = models.OneToOneField(
        settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="membership",
    )
    family = models.ForeignKey(TokenFamily, on_delete=models.CASCADE, related_name="access_tokens")

    def __str__(self) -> str:
        return str(self.family_id)


class AuthorizationCode(models.Model):
    """What a code was given for; kept after redemption, so that a replay is recognised (RFC 6749 section 4.1.2)."""

    checksum = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="codes")
    family = models.ForeignKey(TokenFamily, null=True, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)
    redeemed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.checksum[:8]
