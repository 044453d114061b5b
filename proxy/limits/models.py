"""Limit: how many calls, of whom or at what, in which time; validated by the code that counts."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oauth_provider.clients.models import Client
from proxy.catalogue.models import Backend, Operation

WINDOW_MIN_MS, WINDOW_MAX_MS = 100, 31 * 86_400_000
# Callers that are no clients of this server: API keys, and what an external issuer calls its clients
FOREIGN_CLIENTS = ("key:", "iss:")


class Per(models.TextChoices):
    """What has an allowance of its own under a limit."""

    USER = "user", _("each user")
    CLIENT = "client", _("each client")
    TENANT = "tenant", _("each tenant")
    OPERATION = "operation", _("each operation")
    ADDRESS = "address", _("each address")
    ALL = "all", _("all together")


class AgentTier(models.TextChoices):
    """What an agent says of itself in X-Agent-Tier: a claim, which may only narrow."""

    INTERACTIVE = "interactive", _("interactive")
    SUBAGENT = "subagent", _("sub-agent")
    BACKGROUND = "background", _("background")
    API = "api", _("program")


class Limit(models.Model):
    """At most `max_calls` in `window_ms` for each of `per`, among the calls that its selectors name."""

    backend = models.ForeignKey(
        Backend, models.CASCADE, null=True, blank=True, related_name="limits", verbose_name=_("backend"),
        help_text=_("Empty: every backend."),
    )  # fmt: skip
    operation = models.ForeignKey(
        Operation, models.CASCADE, null=True, blank=True, related_name="limits", verbose_name=_("operation"),
        help_text=_("Empty: every operation."),
    )  # fmt: skip
    client = models.CharField(
        _("client"), max_length=255, blank=True, default="",
        help_text=_("A client id, or key: and the name of an API key. Empty: every client."),
    )  # fmt: skip
    agent_tier = models.CharField(
        _("kind of agent"), max_length=12, choices=AgentTier, blank=True, default="",
        help_text=_("Counts in addition to the limit that would hold without it: what an agent says may only narrow."),
    )  # fmt: skip
    per = models.CharField(_("counted for"), max_length=10, choices=Per)
    max_calls = models.PositiveIntegerField(_("calls"), validators=[MinValueValidator(1), MaxValueValidator(10**9)])
    window_ms = models.PositiveBigIntegerField(
        _("within, ms"), validators=[MinValueValidator(WINDOW_MIN_MS), MaxValueValidator(WINDOW_MAX_MS)]
    )

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.max_calls} / {self.window_ms} ms, {self.get_per_display()}"

    def clean(self) -> None:
        """Refuse what would never count, or of which nobody could say whether it counts.

        Raises:
            ValidationError: by field.
        """
        if self.operation is not None:
            if self.backend is not None and self.operation.backend_id != self.backend_id:
                raise ValidationError({"operation": gettext("This operation is another backend's.")})
            self.backend = self.operation.backend
        known = not self.client or self.client.startswith(FOREIGN_CLIENTS)
        if not known and not Client.objects.filter(client_id=self.client).exists():
            raise ValidationError({"client": gettext("There is no client of this id.")})
        same = Limit.objects.filter(
            backend=self.backend, operation=self.operation, client=self.client, agent_tier=self.agent_tier, per=self.per
        )
        if same.exclude(pk=self.pk).exists():
            raise ValidationError({"per": gettext("There is a limit for exactly this already: change that one.")})
