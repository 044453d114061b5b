"""SigningKey: an ES256 key pair; the private half is encrypted at rest."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SigningKey(models.Model):
    """The newest key that is not retired signs; all that are listed verify."""

    kid = models.CharField(_("key id"), max_length=64, unique=True)
    private_pem_encrypted = models.TextField(editable=False)
    public_jwk = models.JSONField(editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.kid
