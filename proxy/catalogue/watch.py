"""Keep this worker's picture of the catalogue and of revocations no older than the documented window."""

import time
from collections.abc import Callable
from threading import Event, RLock, Thread

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from oauth_provider.revisions.bump import CHANNEL, revision_bumped
from oauth_provider.revisions.read import read_all
from proxy.catalogue.issuer_plan import ReadIssuers, no_issuers
from proxy.catalogue.snapshot import EMPTY, Snapshot, build

POLL_S = 0.25
# How long the listener may take to notice that it is to stop
LISTEN_S = 0.25
STALE_AFTER_S = 5.0
FIRST_READ_WITHIN_S = 10.0
log = structlog.get_logger(__name__)


class Watcher:
    """Polls the revisions four times a second; Redis wakes it earlier, and a commit of this process reads at once.

    `snapshot` and `revocation_revision` are replaced, never changed: readers need no lock.
    """

    def __init__(self, *, read_issuers: ReadIssuers = no_issuers, also: Callable[[], None] = lambda: None) -> None:
        self.snapshot: Snapshot = EMPTY
        self._read_issuers = read_issuers
        # What else is compiled whenever the catalogue moves
        self._also = also
        self.revocation_revision = -1
        self._read_at = float("-inf")
        self._wake = Event()
        self._read_once = Event()
        self._stopping = Event()
        # Reentrant: the first reading may make the signing key, which moves the revision it is reading
        self._lock = RLock()
        self._threads: list[Thread] = []

    @property
    def fresh(self) -> bool:
        """Whether the revisions were read within the last five seconds; if not, nothing remembered may be trusted."""
        return time.monotonic() - self._read_at < STALE_AFTER_S

    def start(self) -> None:
        """Keep reading in a thread; returns when it has read once, so that the first call finds a catalogue."""
        self._stopping.clear()
        self._read_once.clear()
        revision_bumped.connect(self._on_bump)
        self._spawn("catalogue-watch", self._poll)
        if settings.REDIS_URL:
            self._spawn("catalogue-push", self._listen)
        self._read_once.wait(FIRST_READ_WITHIN_S)

    def stop(self) -> None:
        """End the threads."""
        revision_bumped.disconnect(self._on_bump)
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(2)
        self._threads.clear()

    def refresh(self) -> None:
        """Read the revisions now, and rebuild what moved.

        Raises:
            DatabaseError: the database did not answer; the previous picture stays.
        """
        with self._lock:
            asked_at = time.monotonic()
            revisions = read_all()
            # First: what lost access is refused even while the catalogue cannot be built
            self.revocation_revision = revisions.get("revocation", 0)
            catalogue = revisions.get("catalogue", 0)
            if catalogue != self.snapshot.revision:
                # The revision was read before the rows: a change in between is seen by the next poll
                self._also()
                self.snapshot = build(revision=catalogue, read_issuers=self._read_issuers)
            self._read_at = asked_at

    def _spawn(self, name: str, target: Callable[[], None]) -> None:
        thread = Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._try_refresh()
            self._read_once.set()
            self._wake.wait(POLL_S)
            self._wake.clear()
        connection.close()

    def _try_refresh(self) -> None:
        try:
            self.refresh()
        except DatabaseError as fault:
            log.warning("revisions_not_read", fault=type(fault).__name__)
            connection.close()
        except Exception:
            # The thread must live: without it every remembered principal expires for good
            log.exception("catalogue_not_built")

    def _on_bump(self, *, name: str, value: int, **_kwargs: object) -> None:
        # In the thread that committed: whoever reads its answer finds the change in force
        known = self.snapshot.revision if name == "catalogue" else self.revocation_revision
        if known < value:
            self._try_refresh()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._subscribe(str(settings.REDIS_URL))
            except redis.RedisError as fault:
                log.warning("push_channel_lost", fault=type(fault).__name__)
                self._stopping.wait(1)

    def _subscribe(self, url: str) -> None:
        client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        with client, client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(CHANNEL)
            # Whatever was published before the subscription stood
            self._wake.set()
            while not self._stopping.is_set():
                if channel.get_message(timeout=LISTEN_S):
                    self._wake.set()
