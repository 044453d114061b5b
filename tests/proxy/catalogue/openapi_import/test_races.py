"""Two imports at one moment: one is stored, the other is told to look again."""

from collections.abc import Callable

import pytest

from audit.ledger.models import Event
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.openapi_import.apply import REASON, apply_import
from proxy.catalogue.openapi_import.faults import ChangedMeanwhile
from proxy.catalogue.openapi_import.merge import make_plan
from proxy.catalogue.openapi_import.propose import Proposer
from proxy.catalogue.save import save_backend
from tests.at_once import at_once
from tests.proxy.catalogue.openapi_import.documents import DOCUMENT

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 4


def importing(backend: Backend) -> Callable[[], bool]:
    """What one member of staff does; whether it was stored."""
    proposals = [each for found in Proposer(DOCUMENT, backend=backend).proposals() for each in found]
    seen = make_plan(backend=backend, proposals=proposals, notes=[]).digest

    def do() -> bool:
        try:
            apply_import(
                backend=backend, proposals=proposals, notes=[], seen=seen, disable_missing=False, actor=None, note=""
            )
        except ChangedMeanwhile:
            return False
        return True

    return do


def test_one_import_wins_and_nothing_is_there_twice() -> None:
    for name in ("jobs:read", "jobs:write"):
        Scope.objects.create(name=name, title=name)
    backend = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example/api")
    save_backend(backend=backend, actor=None)
    assert sorted(at_once([importing(backend) for _time in range(TIMES)])) == [False] * (TIMES - 1) + [True]
    assert Operation.objects.count() == 4
    assert Event.objects.filter(reason=REASON).count() == 4
