"""More than one worker carries: those it does not take hear so at once, and when it is over all are served."""

import pytest

from tests.attacks.gateway.field import Field
from tests.evidence.overload import overload

SECONDS = 12.0
# Of calls that the backend got, how many it may get a second time
RETRIES = 0.1
# Beside other tests: of what it carries alone, and of the calls afterwards
KEPT, SERVED_AFTER = 0.3, 0.9


@pytest.mark.services
def test_three_times_what_it_takes(field: Field) -> None:
    found = overload(field, seconds=SECONDS)
    print(found)
    during = found.during
    assert set(during.statuses) == {200, 503}
    assert all(heard.header("retry-after") for heard in during.heard if heard.status == 503)
    assert len(during.carried) == during.statuses[200]
    assert found.asked_twice <= RETRIES
    # `python -m tests.evidence.overload` measures how much, on a machine that does nothing else
    assert found.kept >= KEPT
    assert len(found.after.carried) >= SERVED_AFTER * len(found.after.heard)
    field.healthy(200)
