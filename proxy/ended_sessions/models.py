"""EndedSession: a session of an MCP client that it ended itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EndedSession(models.Model):
    """Kept until the session would be over in any case. `digest` is the SHA-256 of what its client held."""

    digest = models.CharField(_("digest"), max_length=64, primary_key=True)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)

    class Meta:
        verbose_name = _("ended session")
        verbose_name_plural = _("ended sessions")
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest
