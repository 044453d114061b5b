"""BackendCheck: what the last check of a backend found, wherever it was made."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from proxy.catalogue.models import Backend


class BackendCheck(models.Model):
    """One per backend; the next check replaces it. `status` is 0 and `advice` says what to do when nobody answered."""

    backend = models.OneToOneField(Backend, models.CASCADE, related_name="last_check", verbose_name=_("backend"))
    checked_at = models.DateTimeField(_("checked"))
    reachable = models.BooleanField(_("reachable"))
    status = models.PositiveSmallIntegerField(_("status"), default=0)
    latency_ms = models.FloatField(_("latency, ms"), default=0.0)
    advice = models.CharField(_("what to do"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("health of a backend")
        verbose_name_plural = _("health of the backends")
        # The page goes by those of the backends
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.backend_id}"
