"""ApiKey: a credential without a person, for operations whose auth mode is `api_key`."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """Only its SHA-256 is stored."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    checksum = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.TextField(_("permissions"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
