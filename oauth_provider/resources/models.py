"""Resource: an audience that access tokens are good for (RFC 8707)."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Resource(models.Model):
    """A protected API of this origin; its identifier is the issuer plus the path."""

    path = models.CharField(_("path"), max_length=200, unique=True)
    title = models.CharField(_("title"), max_length=120, blank=True)
    token_format = models.CharField(_("token format"), max_length=10, default="opaque", editable=False)

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path

    @property
    def identifier(self) -> str:
        """The value of the `resource` parameter and of a token's audience."""
        return f"{settings.PUBLIC_BASE_URL}{self.path}"
