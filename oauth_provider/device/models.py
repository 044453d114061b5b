"""DeviceCode: what a device without a browser asked for, until a person decides and the device takes it."""

from django.conf import settings
from django.db import models

from oauth_provider.device.codes import INTERVAL_S
from oauth_provider.resources.models import Resource


class DeviceCode(models.Model):
    """Ten minutes, single use. Undecided: `decided_at` null; denied: decided without a connection.

    Like an authorization code it is kept after redemption, as long as its family, so that a replay is recognised.
    """

    checksum = models.CharField(max_length=64, unique=True)
    user_code_digest = models.CharField(max_length=64, unique=True)
    client = models.ForeignKey(settings.OAUTH2_PROVIDER_APPLICATION_MODEL, on_delete=models.CASCADE, related_name="+")
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="+")
    # Asked for, and once decided what was given
    scopes = models.TextField()
    # The network it was asked from, shown to whoever types the code
    network = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    interval_s = models.PositiveIntegerField(default=INTERVAL_S)
    polled_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    connection = models.ForeignKey(
        "oauth_provider.Connection", null=True, on_delete=models.CASCADE, related_name="device_codes"
    )
    signed_in_at = models.DateTimeField(null=True)
    is_offline = models.BooleanField(default=True)
    redeemed_at = models.DateTimeField(null=True)
    family = models.ForeignKey("oauth_provider.TokenFamily", null=True, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.checksum[:8]
