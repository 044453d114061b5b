"""The table of results as a document."""

from collections.abc import Mapping

from tests.attacks.table import LEFT_OUT, ROWS
from tests.journeys.server import ROOT

DOCUMENT = ROOT / "docs" / "reference" / "attack-results.md"
OURS, STOCK = 3, 4
HEAD = """# Attack results

What comes of each attack on the authorization server, over HTTP from outside, against this gateway and against a stock
django-oauth-toolkit project of the same version (its RFC 9700 options on, its pages and URLs as its tutorial has them).
`met` means the expected answer; anything else is what came instead.

Written by `python -m tests.attacks`, which starts both servers. `make test` checks our column, `make test-services`
both.

"""


def render(ours: Mapping[str, str], stock: Mapping[str, str]) -> str:
    """The whole document."""
    lines = ["| row | what is sent | expected | ours | stock |", "|---|---|---|---|---|"]
    for row in ROWS.values():
        cells = (row.id, row.what, row.expected, ours[row.id], stock[row.id])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    met = {name: sum(verdict == "met" for verdict in found.values()) for name, found in (("o", ours), ("s", stock))}
    lines += ["", f"Met: ours {met['o']} of {len(ROWS)}, stock {met['s']} of {len(ROWS)}.", "", "## Left out", ""]
    for reason in dict.fromkeys(LEFT_OUT.values()):
        names = ", ".join(name for name, why in LEFT_OUT.items() if why == reason)
        lines.append(f"- {names}: {reason}.")
    return HEAD + "\n".join(lines) + "\n"


def column(place: int) -> dict[str, str]:
    """What the document says about `OURS` or `STOCK`, by row."""
    table = [line.strip("| \n").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    return {cells[0]: cells[place] for cells in table[1:]}
