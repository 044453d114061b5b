"""McpBackend and Definition: what an MCP backend says, and what of it staff approved."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from proxy.catalogue.mcp_backends.content import parsed
from proxy.catalogue.mcp_backends.features import NAME_MAX
from proxy.catalogue.models import Backend
from proxy.catalogue.plans import McpFacts
from proxy.catalogue.tools import JsonObject


class Feature(models.TextChoices):
    """What an MCP server may offer."""

    TOOL = "tool", _("Tool")
    PROMPT = "prompt", _("Prompt")
    RESOURCE = "resource", _("Resource")
    RESOURCE_TEMPLATE = "resource_template", _("Resource template")


class State(models.TextChoices):
    """How a definition stands: only `SERVED` ones are listed and may be called, when an operation opens them."""

    SERVED = "served", _("Approved")
    WAITING = "waiting", _("Waiting for approval")
    CHANGED = "changed", _("Changed since it was approved")
    REFUSED = "refused", _("Refused")
    GONE = "gone", _("Gone")
    FAULTY = "faulty", _("Cannot be served")


class McpBackend(models.Model):
    """What a backend of kind mcp said of itself when it was last asked; `fault` is a slug, "" after it answered.

    `leased_until`: somebody is asking it.
    """

    backend = models.OneToOneField(Backend, models.CASCADE, related_name="mcp", verbose_name=_("backend"))
    tried_at = models.DateTimeField(_("asked"), null=True)
    succeeded_at = models.DateTimeField(_("answered"), null=True)
    leased_until = models.DateTimeField(null=True)
    fault = models.CharField(_("fault"), max_length=60, blank=True, default="")
    protocol_version = models.CharField(_("revision"), max_length=20, blank=True, default="")
    capabilities = models.JSONField(_("capabilities"), default=dict)
    server_name = models.CharField(_("calls itself"), max_length=100, blank=True, default="")
    server_version = models.CharField(_("version"), max_length=50, blank=True, default="")
    instructions = models.TextField(_("instructions"), blank=True, default="")
    unnamed = models.PositiveIntegerField(_("without a usable name"), default=0)

    class Meta:
        verbose_name = _("MCP backend")
        verbose_name_plural = _("MCP backends")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.backend_id}"

    @property
    def facts(self) -> McpFacts | None:
        """As the data plane knows them; None before the first answer."""
        if not self.protocol_version:
            return None
        return McpFacts(self.protocol_version, self.capabilities, self.instructions)


class Definition(models.Model):
    """One thing that a backend offers. `approved` and `seen` are JSON as it was given, "" for none.

    `approved` is what staff agreed to, `seen` what the backend said last; digests of equal content are equal.
    `exposed_name` is what clients of `/mcp` call a tool or prompt, given once. `fault` is a slug.
    """

    backend = models.ForeignKey(Backend, models.CASCADE, related_name="definitions", verbose_name=_("backend"))
    feature = models.CharField(_("kind"), max_length=20, choices=Feature)
    name = models.CharField(_("name"), max_length=NAME_MAX)
    exposed_name = models.CharField(_("name at /mcp"), max_length=64, blank=True, default="")
    approved = models.TextField(blank=True, default="")
    approved_digest = models.CharField(max_length=64, blank=True, default="")
    seen = models.TextField(blank=True, default="")
    seen_digest = models.CharField(max_length=64, blank=True, default="")
    refused_digest = models.CharField(max_length=64, blank=True, default="")
    fault = models.CharField(_("fault"), max_length=20, blank=True, default="")
    first_seen_at = models.DateTimeField(_("first seen"))
    changed_at = models.DateTimeField(_("changed"))
    approved_at = models.DateTimeField(_("approved"), null=True)

    class Meta:
        verbose_name = _("definition")
        verbose_name_plural = _("definitions")
        default_permissions = ()
        ordering = ["feature", "name"]
        constraints = [
            models.UniqueConstraint(fields=["backend", "feature", "name"], name="definition_per_backend"),
            models.UniqueConstraint(
                fields=["feature", "exposed_name"], condition=~models.Q(exposed_name=""), name="exposed_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> State:
        """How it stands."""
        if not self.seen_digest:
            return State.GONE
        if self.fault:
            return State.FAULTY
        if self.seen_digest == self.approved_digest:
            return State.SERVED
        if self.seen_digest == self.refused_digest:
            return State.REFUSED
        return State.CHANGED if self.approved_digest else State.WAITING

    @property
    def approved_value(self) -> JsonObject | None:
        """What staff agreed to; None for nothing."""
        return parsed(self.approved) if self.approved else None

    @property
    def seen_value(self) -> JsonObject | None:
        """What the backend said last; None when it says it no more."""
        return parsed(self.seen) if self.seen else None

    @classmethod
    def in_state(cls, state: str) -> models.Q:
        """Those in `state`, an unknown one matches nothing."""
        seen, approved, refused = models.F("seen_digest"), models.F("approved_digest"), models.F("refused_digest")
        there = ~models.Q(seen_digest="") & models.Q(fault="")
        other = there & ~models.Q(seen_digest=approved) & ~models.Q(seen_digest=refused)
        found: dict[str, Any] = {
            State.GONE: models.Q(seen_digest=""),
            State.FAULTY: ~models.Q(seen_digest="") & ~models.Q(fault=""),
            State.SERVED: there & models.Q(approved_digest=seen),
            State.REFUSED: there & models.Q(refused_digest=seen) & ~models.Q(approved_digest=seen),
            State.WAITING: other & models.Q(approved_digest=""),
            State.CHANGED: other & ~models.Q(approved_digest=""),
        }
        answer: models.Q = found.get(state, models.Q(pk=None))
        return answer
