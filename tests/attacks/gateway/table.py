"""The table of attacks on the gateway: an id, what is sent, what must come of it, its cases, and who finds out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.attacks.table import NotMet

if TYPE_CHECKING:
    from tests.attacks.gateway.field import Field

Attack = Callable[["Field", Any], None]
# The HTTP servers that the naive proxy runs on: one joins what it should refuse, the other takes trailers for headers
H11, HTTPTOOLS = "h11", "httptools"
SERVERS = (H11, HTTPTOOLS)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row; `cases` are what the attack is run with, by name.

    A naive proxy fails it, when it runs on `server`; unless `spares` says why it does not. A `slow` one waits for
    deadlines.
    """

    id: str
    what: str
    expected: str
    cases: Mapping[str, Any]
    spares: str
    server: str
    slow: bool
    attack: Attack

    def observe(self, field: "Field") -> dict[str, str]:
        """What happened instead, by case; empty when all is as expected."""
        return dict(self._failures(field))

    def bites(self, field: "Field") -> bool:
        """Whether one of its cases is not as expected; the ones after that are not run."""
        return any(True for _failure in self._failures(field))

    def _failures(self, field: "Field") -> Iterator[tuple[str, str]]:
        for name, case in self.cases.items():
            try:
                self.attack(field, case)
            except (NotMet, OSError) as observed:
                yield name, str(observed) or type(observed).__name__


ROWS: dict[str, Row] = {}


def row(
    row_id: str,
    what: str,
    *,
    expected: str,
    cases: Mapping[str, Any] | None = None,
    spares: str = "",
    server: str = H11,
    slow: bool = False,
) -> Callable[[Attack], Attack]:
    """Put a function into the table under `row_id`; without `cases` it is run once, with None.

    Raises:
        ValueError: the row is there already.
    """

    def put(attack: Attack) -> Attack:
        if row_id in ROWS:
            raise ValueError(f"{row_id} is in the table already")
        ROWS[row_id] = Row(
            id=row_id,
            what=what,
            expected=expected,
            cases=cases or {"": None},
            spares=spares,
            server=server,
            slow=slow,
            attack=attack,
        )
        return attack

    return put


def named(*cases: str) -> dict[str, str]:
    """Cases that are their own names."""
    return {case.encode("unicode_escape").decode(): case for case in cases}


# What the list of attacks has beyond these rows, and where it is
LEFT_OUT: dict[str, str] = {
    "A21": "HTTP/2 is not spoken: the server is started with HTTP/1.1 alone",
    "A9": "the HTTP server takes a bare LF for the end of a line, as RFC 9112 section 2.2 allows, before our code runs",
    "A22": "a first surplus answer that arrives, whole, after the next call was sent on its connection: HTTP/1.1 has "
    "nothing to tell it by. What arrives before that is noticed, and after the first such fault no connection to that "
    "backend carries a second call for five minutes",
    "C8": "addresses behind trusted proxies: tests/oauth_provider/identities and tests/attacks/rows",
    "C9": "the verifier in the guide for backends: tests/clients/test_backends_guide.py",
    "E11": "the moment of a revocation: tests/journeys/test_replicas.py",
    "E12": "another client's revocation: F rows of attack-results.md",
    "F6": "slow readers of large answers: tests/evidence/test_bodies.py; who reads nothing: "
    "tests/proxy/entrypoints/test_failing.py",
    "F9": "no multipart is parsed: a body is bytes that are counted; forms of pages are Django's",
    **dict.fromkeys(
        ("G3", "G6", "G9", "G10"), "tests/proxy/upstream, tests/proxy/catalogue and tests/oauth_provider/outbound"
    ),
    "G4": "URLs that parsers read differently: tests/proxy/catalogue/test_addresses.py",
    **dict.fromkeys(("G7", "G8"), "documents and keys of clients: tests/oauth_provider/registration and outbound"),
    "G2": "numeric hosts: cases of G1",
    "H10": "redaction: it comes with that slice",
    "H12": "streams are carried as they come; the MCP server writes its own events: tests/proxy/entrypoints/mcp",
    "I1": "the audit store stopped and frozen: tests/evidence/test_stores_fail.py",
    "I3": "a flood of refusals: tests/audit/ledger/test_flood.py",
    **dict.fromkeys(("I4", "I5", "I9"), "a database that its owner changes, and erasure: they come with that slice"),
    "I8": "what a person sees of others: tests/audit/connected_apps",
    **dict.fromkeys(("H13", "H14"), "pages: attack-results.md, and the admin's tests"),
}
