"""KeptCall: what became of the first call with a key, for whoever sends it again."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """What is known of the first call."""

    HELD = "held", _("under way")
    DONE = "done", _("answered")
    # Its answer was a stream, or too large
    UNKEPT = "unkept", _("answered, not kept")
    UNKNOWN = "unknown", _("outcome unknown")


class KeptCall(models.Model):
    """One key of one caller at one operation.

    `key` and `request` are SHA-256; `answer` is sealed, because bodies are personal data. A row still held after
    `held_until` belongs to a process that died.
    """

    key = models.CharField(_("key"), max_length=64, primary_key=True)
    request = models.CharField(_("request"), max_length=64)
    holder = models.CharField(_("request id of the first call"), max_length=64)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.HELD)
    held_until = models.DateTimeField(_("held until"))
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    answer = models.TextField(_("answer"), blank=True, default="")

    class Meta:
        verbose_name = _("kept call")
        verbose_name_plural = _("kept calls")

    def __str__(self) -> str:
        return self.key
