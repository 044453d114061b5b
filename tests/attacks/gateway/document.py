"""The table of results as a document."""

from collections.abc import Mapping

from tests.attacks.gateway.table import LEFT_OUT, ROWS
from tests.journeys.server import ROOT

DOCUMENT = ROOT / "docs" / "reference" / "gateway-attacks.md"
Found = Mapping[str, Mapping[str, str]]
HEAD = """# Attacks on the gateway

What comes of each attack on the gateway, as bytes on a socket from outside, here and at a deliberately naive proxy
(`tests/attacks/gateway/naive.py`: one shared httpx client, headers passed through, URLs joined, tokens read and not
verified; uvicorn with h11, for trailers with httptools). Each row is run with several cases. `met` means the expected
answer for all of them; otherwise how many were met, and what came instead.

Written by `python -m tests.attacks.gateway`, which starts both. `make test` runs every case against the gateway;
`make test-services` also sees that the naive proxy fails each row, but for those listed below the table.

"""


def render(ours: Found, naive: Found) -> str:
    """The whole document."""
    lines = ["| row | what is sent | cases | expected | ours | naive |", "|---|---|---|---|---|---|"]
    for row in ROWS.values():
        cells = (row.id, row.what, str(len(row.cases)), row.expected, _said(row.id, ours), _said(row.id, naive))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    cases = sum(len(row.cases) for row in ROWS.values())
    met = [sum(not found[row] for row in ROWS) for found in (ours, naive)]
    lines += ["", f"{len(ROWS)} rows, {cases} cases. Rows met: ours {met[0]}, naive {met[1]}.", ""]
    lines += ["## What a naive proxy meets", ""]
    lines += [f"- {names}: {why}." for names, why in _by_reason({row.id: row.spares for row in ROWS.values()})]
    lines += ["", "## Elsewhere", ""]
    lines += [f"- {names}: {why}." for names, why in _by_reason(LEFT_OUT)]
    return HEAD + "\n".join(lines) + "\n"


def _by_reason(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    each = dict.fromkeys(reason for reason in reasons.values() if reason)
    return [(", ".join(name for name, why in reasons.items() if why == reason), reason) for reason in each]


def _said(row_id: str, found: Found) -> str:
    failed, cases = found[row_id], len(ROWS[row_id].cases)
    if not failed:
        return "met"
    words = "; ".join(dict.fromkeys(failed.values()))
    return words if cases == 1 else f"{cases - len(failed)} of {cases}: {words}"
