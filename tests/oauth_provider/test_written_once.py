"""Queries whose SQL is written once find what they would find without, in every thread."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from oauth_provider.connections.lock import locking_connection
from oauth_provider.scopes.models import Scope
from oauth_provider.tokens.models import AuthorizationCode
from oauth_provider.written_once import WrittenOnce
from tests.agreed import World

SCOPES = WrittenOnce(lambda name: Scope.objects.filter(name=name, enabled=True))
CODES = WrittenOnce(lambda checksum: locking_connection(AuthorizationCode.objects.filter(checksum=checksum)))


@pytest.mark.django_db
def test_each_key_finds_its_own_row_as_it_is_now() -> None:
    Scope.objects.bulk_create(Scope(name=name, title=name.upper()) for name in ("one", "two"))
    assert [row.title if row else None for row in map(SCOPES.first, ("one", "two", "three", "one"))] == [
        "ONE",
        "TWO",
        None,
        "ONE",
    ]
    Scope.objects.filter(name="one").update(enabled=False)
    assert SCOPES.first("one") is None


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["' OR 1=1 --", "%s", "%", '"', "\ue000key\ue000", ""])
def test_a_key_is_a_value_whatever_it_says(key: str) -> None:
    Scope.objects.create(name="one", title="One")
    assert SCOPES.first(key) is None
    Scope.objects.create(name=key, title="Odd")
    assert SCOPES.first(key) == Scope.objects.get(name=key)


def test_what_a_row_hangs_on_comes_with_it(world: World) -> None:
    world.code()
    wanted = AuthorizationCode.objects.get()
    found = CODES.first(wanted.checksum)
    assert found == wanted
    with CaptureQueriesContext(connection) as asked:
        assert found.connection == world.connection
        assert (found.connection.user, found.connection.resource) == (world.connection.user, world.connection.resource)
        assert found.expires_at == wanted.expires_at
    assert not asked


@pytest.mark.django_db(transaction=True)
def test_every_thread_reads_over_its_own_connection() -> None:
    Scope.objects.create(name="one", title="One")

    def find() -> tuple[Scope | None, int]:
        try:
            return SCOPES.first("one"), id(connection.connection)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        (elsewhere, other), (here, own) = thread.submit(find).result(), find()
    assert elsewhere == here is not None
    assert other != own


@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        CODES.first("0" * 64)


@pytest.mark.django_db
def test_a_query_that_bends_its_key_is_none_of_them() -> None:
    with pytest.raises(ValueError, match="as it is given"):
        WrittenOnce(lambda name: Scope.objects.filter(name__contains=name)).first("one")
