"""Delivery: one message somebody sent, so that it counts once."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Delivery(models.Model):
    """Its id as the sender gave it; kept for as long as a sender might repeat it."""

    source = models.CharField(_("source"), max_length=16)
    name = models.CharField(_("id"), max_length=255)
    received_at = models.DateTimeField(_("received at"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="one_delivery")]

    def __str__(self) -> str:
        return f"{self.source} {self.name}"
