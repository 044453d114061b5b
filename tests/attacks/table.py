"""The table of attacks: one row is an id, what is sent, what must come of it, and the function that finds out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.attacks.target import Target

Attack = Callable[["Target"], None]


class NotMet(AssertionError):
    """The server did something else; the message says what, in words that are the same in every run."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table."""

    id: str
    what: str
    expected: str
    attack: Attack

    def observe(self, target: "Target") -> str:
        """`met`, or what happened instead."""
        try:
            self.attack(target)
        except NotMet as observed:
            return str(observed)
        return "met"


ROWS: dict[str, Row] = {}


def row(row_id: str, what: str, *, expected: str) -> Callable[[Attack], Attack]:
    """Put a function into the table under `row_id`.

    Raises:
        ValueError: the row is there already.
    """

    def put(attack: Attack) -> Attack:
        if row_id in ROWS:
            raise ValueError(f"{row_id} is in the table already")
        ROWS[row_id] = Row(id=row_id, what=what, expected=expected, attack=attack)
        return attack

    return put


# What the list of attacks has beyond these rows, and why it is not here
DATA_PLANE = "the data plane's: raw requests in tests/attacks/test_attacks.py, stages in tests/proxy"
NETWORK = (
    "asks a host of the internet: tests/oauth_provider/registration/documents, tests/oauth_provider/tokens and "
    "tests/oauth_provider/outbound, which have an internet of their own"
)
STAFF = "pages of staff: tests of the admin beside each model"
LEFT_OUT: dict[str, str] = {
    "C14": NETWORK,
    "D09": "by design: GPT builders switch between Basic and body without notice, so the method is not pinned",
    "D14": NETWORK,
    "F01": "staff switch registration off first: tests/oauth_provider/registration/test_register.py",
    **dict.fromkeys([f"G{number:02}" for number in range(5, 17)], NETWORK),
    "G02": NETWORK,
    "G17": "backends: tests/proxy/catalogue and tests/proxy/upstream",
    **dict.fromkeys(("I03", "I08", "I09", "I12", "I13"), DATA_PLANE),
    "J04": "by design: installs of one client that return to the same host are one connection, and end together",
    **dict.fromkeys(("J05", "J06", "J07", "J08"), "activity, exports and mail: they come with those pages"),
    **dict.fromkeys([f"K{number:02}" for number in range(1, 9)], STAFF),
    "Z01": "looks into the ledger: tests/audit and the events in tests/oauth_provider",
    "Z04": "assertions: tests/oauth_provider/tokens/test_client_assertion.py; the leap over a code's end is B12",
    "Z05": "kills the server: tests/audit/ledger/test_kill.py",
    "Z06": "takes the database away: tests/gateway_project/test_health.py and tests/journeys/test_replicas.py",
}
