"""Resource: an audience that access tokens are good for (RFC 8707)."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class TokenFormat(models.TextChoices):
    """What the access tokens for a resource look like; both are looked up at every use."""

    OPAQUE = "opaque", _("Opaque")
    JWT = "jwt", _("Signed (JWT)")


class Resource(models.Model):
    """A protected API of this origin; its identifier is the issuer plus the path."""

    path = models.CharField(_("path"), max_length=200, unique=True)
    title = models.CharField(_("title"), max_length=120, blank=True)
    token_format = models.CharField(
        _("token format"),
        max_length=10,
        choices=TokenFormat,
        default=TokenFormat.OPAQUE,
        help_text=_("Signed tokens say for whom and for what they are to whoever reads them (RFC 9068)."),
    )

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

    @property
    def signs_tokens(self) -> bool:
        """Whether its access tokens are signed ones."""
        return str(self.token_format) == TokenFormat.JWT
