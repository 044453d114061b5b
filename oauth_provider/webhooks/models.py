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


class Promotion(models.Model):
    """A client that registered itself at Auth0 and is to be made ready there."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    client_id = models.CharField(_("client id"), max_length=128, unique=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        indexes = [models.Index(fields=["state", "id"], name="promotion_state")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.state}"
