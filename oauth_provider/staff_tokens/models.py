"""StaffToken: a credential of a member of staff for the programs they let work for them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffToken(models.Model):
    """Only its SHA-256 is stored. It may do what its scopes say, and never more than its person may."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_tokens", verbose_name=_("acts as")
    )
    name = models.CharField(_("name"), max_length=100)
    checksum = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("ends in"), max_length=4, editable=False)
    scopes = models.TextField(_("may"), help_text=_("Such as clients:read, separated by spaces."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("staff token")
        verbose_name_plural = _("staff tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > timezone.now()

    def allows(self, resource: str, *, write: bool) -> bool:
        """Whether its scopes open `resource` of the management API; what may be written may be read."""
        scopes = set(self.scopes.split())
        return f"{resource}:write" in scopes or (not write and f"{resource}:read" in scopes)
