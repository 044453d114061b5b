"""A flood of refusals is a number in the ledger, and everybody else's events are untouched."""

import pytest

from audit.ledger.events import Draft
from audit.ledger.flood import CALLERS_MAX, FULL, WINDOW_S, RefusalFlood
from audit.ledger.kinds import Decision, Kind


class Flooded:
    """A flood with a clock of its own, and what it posted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.posted: list[Draft] = []
        self.flood = RefusalFlood(self.posted.append, clock=lambda: self.now)

    def refuse(self, caller: str, times: int, reason: str = "no_credential") -> int:
        """Refuse so often; how many are written themselves."""
        draft = Draft(
            kind=Kind.PROXY_CALL_DECIDED, decision=Decision.DENY, reason=reason, status=401, address="203.0.113.0/24"
        )
        return sum(self.flood.admits(caller, draft) for _time in range(times))


@pytest.fixture
def flooded() -> Flooded:
    return Flooded()


async def test_the_first_hundred_stand_for_themselves_and_the_rest_are_one_number(flooded: Flooded) -> None:
    assert flooded.refuse("203.0.113.9", 5_000) == FULL
    assert flooded.posted == []
    flooded.now += WINDOW_S
    assert flooded.refuse("203.0.113.9", 1) == 1
    (counted,) = flooded.posted
    assert (counted.kind, counted.reason, counted.status) == (Kind.PROXY_REFUSALS_COUNTED, "no_credential", 401)
    assert counted.note == "4900 further calls"
    assert counted.address == "203.0.113.0/24"
    flooded.flood.flush()


async def test_another_caller_and_another_reason_are_not_counted_with_them(flooded: Flooded) -> None:
    flooded.refuse("203.0.113.9", FULL + 1)
    assert flooded.refuse("203.0.113.10", 1) == 1
    assert flooded.refuse("203.0.113.9", 1, reason="expired") == 1
    flooded.flood.flush()
    assert [draft.note for draft in flooded.posted] == ["1 further calls"]


async def test_a_few_are_no_number(flooded: Flooded) -> None:
    assert flooded.refuse("203.0.113.9", FULL) == FULL
    flooded.flood.flush()
    assert flooded.posted == []


async def test_from_everywhere_at_once_they_share_a_number(flooded: Flooded) -> None:
    for number in range(CALLERS_MAX):
        flooded.refuse(f"caller {number}", 1)
    written = sum(flooded.refuse(f"stranger {number}", 1) for number in range(500))
    assert written == FULL
    flooded.flood.flush()
    (counted,) = flooded.posted
    assert (counted.note, counted.address) == ("400 further calls", "")
