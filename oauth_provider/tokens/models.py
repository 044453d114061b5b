"""Side tables of django-oauth-toolkit's token models, which stay as the library ships them."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from oauth_provider.clients.models import Client
from oauth_provider.connections.models import Connection


class TokenFamily(models.Model):
    """All tokens that one authorization code bought, through every refresh; the unit that a replay kills."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="families")
    # What the code bought: a refresh may ask for less without losing the rest (RFC 6749 section 6)
    scopes = models.TextField(db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    # When the refresh token that is live now was issued
    refreshed_at = models.DateTimeField(default=timezone.now, db_default=Now())
    # When the person signed in who allowed it (the `auth_time` of every ID token of the family)
    signed_in_at = models.DateTimeField(null=True)
    # The live pair, as `tokens.retry` seals it
    sealed_pair = models.TextField(db_default="", default="")
    revoked_at = models.DateTimeField(null=True)
    # Bought by a client that signed with its key: a thief who has none of it refreshes nothing, even where the client's
    # document lets it come without
    bought_with_key = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return str(self.id)

    def ends_at(self, client: Client) -> datetime:
        """When the last token of the family dies, however often it was refreshed."""
        return self.created_at + timedelta(seconds=client.refresh_token_absolute_lifetime_s)

    def refreshable_until(self, client: Client) -> datetime:
        """When its live refresh token dies: unused for too long, or of a family that ends."""
        return min(self.ends_at(client), self.refreshed_at + timedelta(seconds=client.refresh_token_lifetime_s))


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


class TokenAncestor(models.Model):
    """One of the tokens that an exchanged access token goes back to (RFC 8693); the first has position 0.

    It outlives what it points at, so that the exchanged token is known to hang on something that is gone.
    """

    access_token = models.ForeignKey(
        settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL, on_delete=models.CASCADE, related_name="ancestors"
    )
    ancestor = models.ForeignKey(
        settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    # Whose token the ancestor was
    client = models.ForeignKey(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["access_token", "position"], name="one_ancestor_per_position")]

    def __str__(self) -> str:
        return f"{self.access_token_id} from {self.ancestor_id}"


class AuthorizationCode(models.Model):
    """What a code was given for; kept after redemption, so that a replay is recognised (RFC 6749 section 4.1.2)."""

    checksum = models.CharField(max_length=64, unique=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="codes")
    family = models.ForeignKey(TokenFamily, null=True, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)
    # What an ID token says of the sign-in, and whether there is a refresh token beside the access token
    signed_in_at = models.DateTimeField(null=True)
    is_offline = models.BooleanField(default=True, db_default=True)
    redeemed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.checksum[:8]


class UsedAssertion(models.Model):
    """An assertion a client proved itself with: it proves nothing a second time (RFC 7523 section 3, `jti`)."""

    # SHA-256 over the client and the `jti`
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest[:8]
