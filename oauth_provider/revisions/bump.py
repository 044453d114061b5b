"""Move a revision inside the transaction of the change it announces."""

import time
from collections.abc import Callable
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
# Whoever changes something waits for Redis, but for one that stands still no more often than this
ASK_AGAIN_S = 3.0
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
        _channel(settings.REDIS_URL).publish(name, value)


class Channel:
    """Where other workers hear of a change at once; without it the poll of each finds it within 250 ms."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
        self._clock = clock
        self._silent_until = 0.0

    def publish(self, name: Name, value: int) -> None:
        """Tell them, unless Redis did not answer a moment ago."""
        if self._clock() < self._silent_until:
            return
        try:
            self._redis.publish(CHANNEL, f"{name}:{value}")
        except redis.RedisError as fault:
            if isinstance(fault, redis.TimeoutError):
                self._silent_until = self._clock() + ASK_AGAIN_S
            log.warning("revision_not_published", name=name)


@lru_cache(maxsize=1)
def _channel(url: str) -> Channel:
    return Channel(url)
