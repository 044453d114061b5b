"""Connection: one user's standing permission for one client on one resource."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oauth_provider.resources.models import Resource

# In the place of a host, of a connection made by a device's code: nobody is sent back
DEVICE_HOST = "device:"


class Connection(models.Model):
    """The unit of consent and revocation; every token a person gave a client hangs on one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections")
    client = models.ForeignKey(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL, on_delete=models.CASCADE, related_name="connections"
    )
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="connections")
    redirect_host = models.CharField(_("returns to"), max_length=255)
    scopes = models.TextField(_("permissions"), blank=True)
    shown_digest = models.CharField(max_length=64, blank=True, help_text=_("SHA-256 of the words that were shown."))
    shown_locale = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(_("connected at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = models.CharField(_("revoked by"), max_length=10, blank=True)
    revocation_reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "client", "resource", "redirect_host"],
                condition=models.Q(revoked_at=None),
                name="one_live_connection",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def scope_set(self) -> frozenset[str]:
        """Names of the scopes the user gave."""
        return frozenset(self.scopes.split())
