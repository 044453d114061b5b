"""What a check finds is remembered for the backends that are still there."""

import pytest

from proxy.catalogue.models import Backend
from proxy.health import check
from proxy.health.models import BackendCheck

pytestmark = pytest.mark.django_db


def test_a_backend_that_was_removed_meanwhile_is_not_remembered() -> None:
    backends = [
        Backend.objects.create(
            name=name, prefix=f"/api/v1/{name}", upstream_url="http://127.0.0.1:9", allow_private=True
        )
        for name in ("jobs", "gone")
    ]
    Backend.objects.filter(name="gone").delete()
    assert [found.backend for found in check.check_backends(backends=backends)] == ["jobs", "gone"]
    assert [found.backend.name for found in BackendCheck.objects.all()] == ["jobs"]


def test_nothing_is_remembered_of_no_backends() -> None:
    assert check.check_backends(backends=[]) == []
