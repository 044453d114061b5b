"""SigningKey: an ES256 key pair; the private half is encrypted at rest."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    """Which keys count when."""

    def published(self, at: datetime) -> "SigningKeyQuerySet":
        """Those whose signatures verify at `at`: past ones that may still be needed, and the next one too."""
        return self.filter(Q(published_until=None) | Q(published_until__gt=at))


class SigningKey(models.Model):
    """Of the published keys the one that began to sign last signs; the others only verify."""

    kid = models.CharField(_("key id"), max_length=64, unique=True)
    private_pem_encrypted = models.TextField(editable=False)
    public_jwk = models.JSONField(editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    signs_from = models.DateTimeField(_("signs from"), default=timezone.now)
    published_until = models.DateTimeField(_("verifies until"), null=True, blank=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        """How staff read of it, newest first."""

        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-signs_from", "-id"]

    def __str__(self) -> str:
        return self.kid
