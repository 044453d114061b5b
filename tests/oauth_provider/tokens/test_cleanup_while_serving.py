"""Cleaning waits for nobody in a circle, and nobody waits for it in one."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.tokens.cleanup import clean_tokens
from oauth_provider.tokens.families import kill_family
from oauth_provider.tokens.models import FamilyToken, TokenFamily
from tests.agreed import World
from tests.own_database import own_database

__all__ = ["own_database"]
pytestmark = pytest.mark.services
TOGETHER = 4


@pytest.fixture
def db(own_database: None) -> Iterator[None]:
    """Committed, so that threads see it."""
    del own_database
    yield
    connections.close_all()


@pytest.mark.usefixtures("db")
def test_refreshes_and_revocations_go_on_meanwhile(make_world: Callable[..., World]) -> None:
    kept = [make_world(username=f"kept{number}") for number in range(10)]
    ended = [make_world(username=f"ended{number}") for number in range(10)]
    pairs = [world.pair() for world in kept]
    for world in (*kept, *ended):
        leave_a_dead_family(world)
    with ThreadPoolExecutor(TOGETHER) as pool:
        cleaned = [pool.submit(in_a_thread, clean) for _ in range(2)]
        revoked = [pool.submit(in_a_thread, end, world.connection) for world in ended]
        refreshed = [
            pool.submit(in_a_thread, world.refresh, pair["refresh_token"])
            for world, pair in zip(kept, pairs, strict=True)
        ]
        for done in (*cleaned, *revoked):
            done.result(30)
        assert {done.result(30).status_code for done in refreshed} == {200}
    clean()
    assert TokenFamily.objects.count() == len(kept)
    assert get_access_token_model().objects.count() == 2 * len(kept)


@pytest.mark.usefixtures("db")
def test_a_connection_in_use_is_cleaned_last_and_not_before_it_is_free(make_world: Callable[..., World]) -> None:
    busy, free = make_world(username="busy"), make_world(username="free")
    for world in (busy, free):
        leave_a_dead_family(world)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_connection(busy.connection.pk)
            cleaning = pool.submit(in_a_thread, clean)
            wait_until(lambda: not TokenFamily.objects.filter(connection=free.connection).exists())
            assert TokenFamily.objects.filter(connection=busy.connection).exists()
            assert not cleaning.done()
        assert cleaning.result(10)["families"] == 2


def wait_until(holds: Callable[[], bool], *, within_s: float = 10) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def clean() -> Counter[str]:
    """Clean as of now; how many rows of each kind were deleted."""
    done: Counter[str] = Counter()
    for kind, deleted in clean_tokens(at=timezone.now()):
        done[kind] += deleted
    return done


def leave_a_dead_family(world: World) -> None:
    """Connect once more and kill what that bought."""
    stored = hashlib.sha256(world.pair()["access_token"].encode()).hexdigest()
    kill_family(FamilyToken.objects.get(access_token__token_checksum=stored).family_id)


def end(connection: Connection) -> None:
    """Revoke as its owner would."""
    revoke_connection(connection=connection, actor=None, by="user", reason="")


def in_a_thread(act: Callable[..., Any], *arguments: Any) -> Any:
    """Run `act` on connections of its own."""
    try:
        return act(*arguments)
    finally:
        connections.close_all()
