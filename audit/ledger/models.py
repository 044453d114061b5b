"""Event and Subject: what happened, and the only place that says who a pseudonym is."""

from collections.abc import Iterable
from typing import Any, Never
from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.ledger.events import new_event_id, utc_now
from audit.ledger.kinds import Decision, Kind, Phase

NOTE_MAX = 500


class AppendOnlyError(TypeError):
    """Somebody asked the ORM to change the past. The database's triggers would refuse it as well."""


def new_pseudonym() -> str:
    """128 random bits, 32 hex digits: says nothing about the user it stands for."""
    return uuid4().hex


class Subject(models.Model):
    """A pseudonym and its user. Not a foreign key: deleting the user must neither edit nor block the ledger.

    The user's id decides; the external id repeats, because an account deleted and made anew is another subject.
    """

    pseudonym = models.CharField(_("pseudonym"), max_length=32, primary_key=True, default=new_pseudonym, editable=False)
    user_id = models.BigIntegerField(_("user id"), unique=True)
    external_id = models.CharField(_("external id"), max_length=200, db_index=True)

    class Meta:
        verbose_name = _("subject")
        verbose_name_plural = _("subjects")

    def __str__(self) -> str:
        return self.pseudonym


class EventQuerySet(models.QuerySet["Event"]):
    """Reads and inserts only."""

    def update(self, **_kwargs: Any) -> Never:
        """Refused: raises AppendOnlyError."""
        raise AppendOnlyError("Events are never changed.")

    def delete(self) -> Never:
        """Refused: raises AppendOnlyError."""
        raise AppendOnlyError("Events are never deleted.")

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> Never:
        """Refused: raises AppendOnlyError."""
        raise AppendOnlyError("Events are never changed.")

    def update_or_create(self, *_args: Any, **_kwargs: Any) -> Never:
        """Refused: raises AppendOnlyError."""
        raise AppendOnlyError("Events are never changed.")

    def bulk_create(self, objs: Iterable["Event"], *args: Any, **kwargs: Any) -> list["Event"]:
        """Insert; raises AppendOnlyError when asked to update what is there."""
        if kwargs.get("update_conflicts"):
            raise AppendOnlyError("Events are never changed.")
        return super().bulk_create(objs, *args, **kwargs)

    # asgiref would otherwise call the synchronous twin that Django's own class defines
    aupdate = update
    adelete = delete


class Event(models.Model):
    """One decision, as `audit.ledger.events.Draft` describes its fields."""

    id = models.UUIDField(primary_key=True, default=new_event_id, editable=False)
    v = models.PositiveSmallIntegerField(_("schema version"), default=1)
    kind = models.CharField(_("kind"), max_length=64, choices=[(kind.value, kind.value) for kind in Kind])
    phase = models.CharField(_("phase"), max_length=6, choices=[(p.value, p.value) for p in Phase], default=Phase.FINAL)
    timestamp = models.DateTimeField(_("time"), default=utc_now)
    request_id = models.CharField(_("request id"), max_length=64, blank=True, default="")
    subject = models.CharField(_("user"), max_length=32, blank=True, default="")
    actor = models.CharField(_("staff member"), max_length=32, blank=True, default="")
    client_id = models.CharField(_("client"), max_length=255, blank=True, default="")
    connection = models.CharField(_("connection"), max_length=36, blank=True, default="")
    backend = models.CharField(_("backend"), max_length=64, blank=True, default="")
    operation = models.CharField(_("operation"), max_length=200, blank=True, default="")
    method = models.CharField(_("method"), max_length=16, blank=True, default="")
    path = models.CharField(_("path"), max_length=500, blank=True, default="")
    decision = models.CharField(
        _("decision"), max_length=5, choices=[(d.value, d.value) for d in Decision], default=Decision.ALLOW
    )
    reason = models.CharField(_("reason"), max_length=64, blank=True, default="")
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    upstream_status = models.PositiveSmallIntegerField(_("backend's status"), null=True, blank=True)
    latency_us = models.BigIntegerField(_("latency (µs)"), null=True, blank=True)
    upstream_latency_us = models.BigIntegerField(_("backend's latency (µs)"), null=True, blank=True)
    request_bytes = models.BigIntegerField(_("request bytes"), null=True, blank=True)
    response_bytes = models.BigIntegerField(_("response bytes"), null=True, blank=True)
    retries = models.PositiveSmallIntegerField(_("sent again"), null=True, blank=True)
    scopes = models.TextField(_("permissions"), blank=True, default="")
    scopes_required = models.TextField(_("permissions required"), blank=True, default="")
    audience = models.CharField(_("audience"), max_length=500, blank=True, default="")
    token = models.CharField(_("token's fingerprint"), max_length=16, blank=True, default="")
    address = models.CharField(_("network"), max_length=43, blank=True, default="")
    target = models.CharField(_("target"), max_length=255, blank=True, default="")
    fields = models.JSONField(_("changed fields"), default=list, blank=True)
    note = models.CharField(_("reason given"), max_length=NOTE_MAX, blank=True, default="")

    objects = models.Manager.from_queryset(EventQuerySet)()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ("view",)
        # The primary key after every column: keyset pages need a total order, and equal times happen
        indexes = [
            models.Index(fields=["timestamp", "id"], name="event_time"),
            models.Index(fields=["subject", "timestamp", "id"], name="event_subject"),
            models.Index(fields=["client_id", "timestamp", "id"], name="event_client"),
            models.Index(fields=["operation", "timestamp", "id"], name="event_operation"),
            models.Index(fields=["decision", "timestamp", "id"], name="event_decision"),
            models.Index(fields=["connection", "timestamp", "id"], name="event_connection"),
            models.Index(fields=["request_id"], name="event_request"),
            # Few of all events: what looks for the unfinished ones reads no others
            models.Index(fields=["timestamp", "id"], name="event_intent", condition=models.Q(phase=Phase.INTENT)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; raises AppendOnlyError for an event that is already in the ledger."""
        if not self._state.adding:
            raise AppendOnlyError("Events are never changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_args: Any, **_kwargs: Any) -> Never:
        """Refused: raises AppendOnlyError."""
        raise AppendOnlyError("Events are never deleted.")

    @classmethod
    def newest_first(cls) -> "EventQuerySet":
        """Every event in the order of the ledger's pages."""
        return cls._default_manager.order_by("-timestamp", "-id")


class ClosingMark(models.Model):
    """Up to when unfinished calls were looked for; its one row is locked by whoever looks."""

    until = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("closing mark")
        verbose_name_plural = _("closing marks")
        default_permissions = ()

    def __str__(self) -> str:
        return self.until.isoformat()
