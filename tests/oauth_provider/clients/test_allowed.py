"""What a client may ask for, by its id."""

import pytest
from django.utils import timezone

from oauth_provider.clients.allowed import allowed_scopes
from oauth_provider.clients.models import Approval, Client

pytestmark = pytest.mark.django_db


def test_the_scopes_of_a_client_are_told() -> None:
    Client.objects.create(client_id="abc", allowed_scopes="jobs:read jobs:write")
    assert allowed_scopes("abc") == frozenset({"jobs:read", "jobs:write"})


def test_a_client_without_any_has_none() -> None:
    Client.objects.create(client_id="abc")
    assert allowed_scopes("abc") == frozenset()


@pytest.mark.parametrize("fields", [{"suspended_at": timezone.now()}, {"approval": Approval.PENDING}])
def test_one_that_may_not_be_used_is_as_good_as_none(fields: dict[str, object]) -> None:
    Client.objects.create(client_id="abc", allowed_scopes="jobs:read", **fields)
    assert allowed_scopes("abc") is None


@pytest.mark.parametrize("client_id", ["", "nobody", "\x00", "a" * 300])
def test_what_is_no_client_id_finds_nobody(client_id: str) -> None:
    assert allowed_scopes(client_id) is None
