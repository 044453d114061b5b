"""Interaction: one authorization request, kept on the server until it is decided."""

from django.conf import settings
from django.db import models

from oauth_provider.resources.models import Resource


class Interaction(models.Model):
    """What was asked and shown; the consent form carries only its id. Ten minutes, single use."""

    id = models.CharField(primary_key=True, max_length=43, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    session_digest = models.CharField(max_length=64, blank=True)
    client = models.ForeignKey(settings.OAUTH2_PROVIDER_APPLICATION_MODEL, on_delete=models.CASCADE, related_name="+")
    # Empty when a device asks, whose code is then named
    redirect_uri = models.TextField()
    device = models.ForeignKey("oauth_provider.DeviceCode", null=True, on_delete=models.CASCADE, related_name="+")
    scopes = models.TextField(blank=True)
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="+")
    state = models.TextField(blank=True)
    code_challenge = models.CharField(max_length=128, blank=True)
    code_challenge_method = models.CharField(max_length=10, blank=True)
    nonce = models.CharField(max_length=255, blank=True)
    # When the person of the session signed in; null when that is not known
    signed_in_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    shown_digest = models.CharField(max_length=64, blank=True)
    shown_locale = models.CharField(max_length=16, blank=True)
    decided_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.client_id} {self.created_at:%Y-%m-%d %H:%M}"
