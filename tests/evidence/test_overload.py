"""More than one worker carries: those it does not take hear so at once, and when it is over all are served."""

import pytest

from tests.attacks.gateway.field import Field
from tests.evidence.overload import periods

SECONDS = 10.0
# Of calls that the backend got, how many it may get a second time
RETRIES = 0.1


@pytest.mark.services
def test_three_times_what_it_takes(field: Field) -> None:
    before, during, after = periods(field, seconds=SECONDS)
    print(before, during, after, sep="\n")
    assert set(before.statuses) == set(after.statuses) == {200}
    assert set(during.statuses) <= {0, 200, 503}
    assert all(heard.header("retry-after") for heard in during.heard if heard.status == 503)
    assert len(during.carried) == during.statuses[200]
    # A call whose caller lost its connection reached the backend too
    assert during.asked <= (1 + RETRIES) * len(during.carried) + during.statuses[0]
    field.healthy(200)
