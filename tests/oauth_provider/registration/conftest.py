"""Anybody may register here, and people may allow it two things."""

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from oauth_provider.registration.models import Mode, RegistrationPolicy
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from tests.oauth_provider.registration.newcomers import Newcomers


@pytest.fixture
def policy(db: None) -> Callable[..., RegistrationPolicy]:
    """Set the rules."""
    del db

    def decide(**changes: object) -> RegistrationPolicy:
        values = {"mode": Mode.OPEN, "default_resource": "/api/v1/echo", **changes}
        row, _made = RegistrationPolicy.objects.update_or_create(pk=RegistrationPolicy.SINGLETON, defaults=values)
        return row

    return decide


@pytest.fixture
def newcomers(policy: Callable[..., RegistrationPolicy]) -> Newcomers:
    """An open door, two open permissions and a closed one, one API, one person."""
    policy()
    for name, sensitivity, is_open in (
        ("tool:read", "normal", True),
        ("tool:write", "write", True),
        ("payroll:read", "sensitive", False),
    ):
        Scope.objects.update_or_create(
            name=name, defaults={"title": name, "sensitivity": sensitivity, "self_registration": is_open}
        )
    register(path="/api/v1/echo", title="Echo")
    ana = get_user_model().objects.create_user("ana-r", password="correct horse")
    person = Browser()
    person.force_login(ana, backend="django.contrib.auth.backends.ModelBackend")
    return Newcomers(Browser(), person)
