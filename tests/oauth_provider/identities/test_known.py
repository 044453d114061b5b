"""Whether somebody another issuer vouches for is a person of ours."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from pytest_django import DjangoAssertNumQueries

from oauth_provider import one_statement
from oauth_provider.identities.known import KnownPerson, known_person
from oauth_provider.identities.models import Identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    """Somebody with an external id."""
    person = User.objects.create_user("ana")
    Identity.objects.update_or_create(user=person, defaults={"external_id": "user_2abc"})
    return person


def test_a_person_is_found_by_the_exact_id_in_one_statement(
    ana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert known_person("user_2abc") == KnownPerson(user_id=ana.pk, is_active=True)
    for other in ("USER_2ABC", "user_2ab", "user%", "", "x' OR '1'='1"):
        assert known_person(other) is None


def test_who_is_switched_off_is_known_as_such(ana: User) -> None:
    ana.is_active = False
    ana.save()
    assert known_person("user_2abc") == KnownPerson(user_id=ana.pk, is_active=False)


def test_a_lost_connection_inside_a_transaction_vouches_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_query: str, _parameters: list[str]) -> None:
        raise OperationalError

    monkeypatch.setattr(one_statement, "_run", lost)
    with pytest.raises(OperationalError):
        known_person("user_2abc")
