"""The document of a client, as it was last seen, and every version of it that was ever in force."""

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from oauth_provider.clients.models import Client

# While its host answers with nothing usable, a copy is good for that long
STALE_FOR = timedelta(days=1)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)


class Source(models.TextChoices):
    """Where the content in force came from."""

    FETCHED = "fetched", _("Its own address")
    PINNED = "pinned", _("The copy that came with this server")


class MetadataDocument(models.Model):
    """What is known about the document at the client's id."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="document", editable=False)
    source = models.CharField(_("source"), max_length=8, choices=Source)
    digest = models.CharField(_("digest"), max_length=64)
    # Validators of the answer (RFC 9110 section 8.8); empty when there were none
    etag = models.CharField(max_length=255, blank=True)
    last_modified = models.CharField(max_length=64, blank=True)
    # When its host last said that this is the content
    fetched_at = models.DateTimeField(_("last fetched at"))
    fresh_until = models.DateTimeField(_("asked for again after"))
    tried_at = models.DateTimeField(_("last tried at"))
    failures = models.PositiveSmallIntegerField(_("failed attempts since"), default=0)
    fault = models.CharField(_("last failure"), max_length=64, blank=True)
    differs_from_pinned = models.BooleanField(_("differs from the copy that came with this server"), default=False)

    class Meta:
        verbose_name = _("metadata document")
        verbose_name_plural = _("metadata documents")
        ordering = ["client__name"]

    def __str__(self) -> str:
        return str(self.client.client_id)

    def is_due(self, now: datetime) -> bool:
        """Whether its host should be asked again: it is no longer fresh, and the last failure is long enough ago."""
        pause = min(FIRST_PAUSE * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE) if self.failures else timedelta(0)
        return now >= self.fresh_until and now >= self.tried_at + pause

    def is_usable(self, now: datetime) -> bool:
        """Whether the copy is still good: a pinned one always, another for a day without its host."""
        return self.source == Source.PINNED or now < max(self.fresh_until, self.fetched_at + STALE_FOR)


class DocumentVersion(models.Model):
    """One content the document had; JSON with sorted names and only ASCII."""

    document = models.ForeignKey(MetadataDocument, on_delete=models.CASCADE, related_name="versions")
    source = models.CharField(_("source"), max_length=8, choices=Source)
    digest = models.CharField(_("digest"), max_length=64)
    content = models.TextField(_("content"))
    taken_at = models.DateTimeField(_("in force since"))

    class Meta:
        ordering = ["-taken_at", "-pk"]

    def __str__(self) -> str:
        return self.digest[:12]
