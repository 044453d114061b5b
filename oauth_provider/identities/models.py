"""Identity: who a local user is to the backends."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Stopped(models.TextChoices):
    """That the identity provider stopped the person; what staff did is not told here."""

    NOT = "", _("no")
    BANNED = "banned", _("blocked there")
    DELETED = "deleted", _("deleted there")


class Identity(models.Model):
    """The external id a backend knows the user by."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identity")
    external_id = models.CharField(_("external id"), max_length=200, unique=True)
    # Whether somebody we believe proved that the user's `email` is theirs: staff, or an identity provider that says so.
    # Nothing here proves it, so it starts as false, and whoever changes the address takes it back.
    email_verified = models.BooleanField(_("e-mail verified"), default=False, db_default=False)

    # Names of the permissions this person may ever give, whoever asks; None: any. Nothing else tells none from any
    grantable_scopes = models.TextField(_("may allow at most"), null=True, blank=True)  # noqa: DJ001 - see above

    stopped = models.CharField(
        _("stopped by the provider"), max_length=8, choices=Stopped, default=Stopped.NOT, blank=True
    )
    # When it said so: of two messages that overtake each other, the later one counts
    provider_said_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")

    def __str__(self) -> str:
        return self.external_id
