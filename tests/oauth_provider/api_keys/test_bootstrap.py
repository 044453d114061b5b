"""The API key of the environment."""

import pytest

from audit.ledger.models import Event
from oauth_provider.api_keys.bootstrap import NAME, bootstrap_api_key
from oauth_provider.api_keys.create import revoke_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import InvalidApiKey, verify_api_key
from oauth_provider.scopes.models import Scope

pytestmark = pytest.mark.django_db
KEY = "k" * 32


def test_it_opens_what_is_enabled_now() -> None:
    Scope.objects.create(name="tool:read", title="Read")
    Scope.objects.create(name="tool:write", title="Write", enabled=False)
    bootstrap_api_key(key=KEY)
    assert verify_api_key(KEY).scopes == {"tool:read"}


def test_a_second_start_changes_nothing() -> None:
    bootstrap_api_key(key=KEY)
    bootstrap_api_key(key=KEY)
    assert Event.objects.count() == 1


def test_a_new_value_replaces_the_one_before_and_keeps_what_staff_changed() -> None:
    bootstrap_api_key(key=KEY)
    Scope.objects.create(name="tool:read", title="Read")
    ApiKey.objects.update(scopes="tool:read")
    bootstrap_api_key(key="n" * 32)
    assert verify_api_key("n" * 32).scopes == {"tool:read"}
    with pytest.raises(InvalidApiKey):
        verify_api_key(KEY)


def test_one_that_staff_revoked_stays_revoked() -> None:
    bootstrap_api_key(key=KEY)
    revoke_api_key(api_key=ApiKey.objects.get(name=NAME), actor=None, reason="leaked")
    bootstrap_api_key(key=KEY)
    with pytest.raises(InvalidApiKey):
        verify_api_key(KEY)
