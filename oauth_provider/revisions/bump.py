"""Move a revision inside the transaction of the change it announces."""

from functools import lru_cache, partial
from typing import Literal

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal

from oauth_provider.revisions.models import Revision

CHANNEL = "gatehouse:revisions"
Name = Literal["catalogue", "revocation"]

# Sent after commit with `name` and `value`: the answering worker needs no poll
revision_bumped = Signal()
log = structlog.get_logger(__name__)


def bump(name: Name) -> None:
    """Announce a change of what `name` covers to every worker, once the caller's transaction commits."""
    with transaction.atomic():
        row = Revision.objects.filter(name=name)
        if not row.update(value=F("value") + 1):
            # Two workers may come here at once: each must move it
            Revision.objects.get_or_create(name=name)
            row.update(value=F("value") + 1)
        value = Revision.objects.values_list("value", flat=True).get(name=name)
        transaction.on_commit(partial(_announce, name, value))


def _announce(name: Name, value: int) -> None:
    revision_bumped.send(sender=Revision, name=name, value=value)
    if settings.REDIS_URL:
        try:
            _redis(settings.REDIS_URL).publish(CHANNEL, f"{name}:{value}")
        except redis.RedisError:
            # The poll of every worker finds it within 250 ms
            log.warning("revision_not_published", name=name)


@lru_cache(maxsize=1)
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
