"""An API key opens what staff gave it while it lives, and is stored as a checksum only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.api_keys.create import create_api_key, revoke_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import InvalidApiKey, VerifiedApiKey, verify_api_key
from oauth_provider.scopes.models import Scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    """A key with two permissions, one of them disabled."""
    Scope.objects.create(name="tool:read", title="Read")
    Scope.objects.create(name="tool:off", title="Off", enabled=False)
    Scope.objects.create(name="tool_read", title="A name that a wildcard would match")
    return create_api_key(name="nightly", scopes="tool:read tool:off tool:gone", actor=None)


def refused(key: str) -> str:
    with pytest.raises(InvalidApiKey) as caught:
        verify_api_key(key)
    return caught.value.reason


def test_a_live_key_has_a_name_and_its_enabled_permissions(key: str) -> None:
    assert verify_api_key(key) == VerifiedApiKey(name="nightly", scopes=frozenset({"tool:read"}))


def test_a_key_is_random_recognisable_and_never_stored(key: str) -> None:
    assert key.startswith("gh_key_")
    assert len(key) == 50
    assert key not in str([*ApiKey.objects.values(), *Event.objects.values()])


@pytest.mark.parametrize("other", ["", "gh_key_x", "x" * 600, "ção", "\x00", "'; DROP TABLE x; --"])
def test_anything_else_is_unknown(key: str, other: str) -> None:
    assert refused(other) == refused(key + "x") == "unknown"


def test_a_revoked_key_is_refused(key: str) -> None:
    revoke_api_key(api_key=ApiKey.objects.get(), actor=None, reason="lost")
    assert refused(key) == "revoked"


def test_an_expired_key_is_refused(key: str) -> None:
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(key) == "expired"
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert verify_api_key(key).name == "nightly"


def test_a_key_without_permissions_is_live_and_opens_nothing_that_asks_for_one() -> None:
    assert verify_api_key(create_api_key(name="bare", scopes="", actor=None)).scopes == frozenset()


def test_a_key_the_deployment_chose_replaces_the_one_of_its_name(key: str) -> None:
    chosen = create_api_key(name="nightly", scopes="tool:read", actor=None, key="chosen-by-the-operator")
    assert chosen == "chosen-by-the-operator"
    assert verify_api_key(chosen).name == "nightly"
    assert refused(key) == "unknown"


def test_verification_is_one_statement(key: str, django_assert_num_queries: Callable[[int], Any]) -> None:
    with django_assert_num_queries(1):
        verify_api_key(key)
