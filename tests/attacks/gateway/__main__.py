"""Run the table against both gateways and write it down: `python -m tests.attacks.gateway`."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

import tests.attacks.gateway.rows  # noqa: F401 - fills the table
from tests.attacks.gateway.document import DOCUMENT, Found, render
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.gateways import naive, ours
from tests.attacks.gateway.table import ROWS, SERVERS


def main(*only: str) -> None:
    """Write docs/reference/gateway-attacks.md; with ids of rows print only what comes of those."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "naive").mkdir()
        with ours(folder / "ours") as field:
            found = observe(field, "ours", *only)
        theirs: dict[str, Mapping[str, str]] = {}
        for server in SERVERS:
            with naive(folder / "naive", server=server) as field:
                theirs |= observe(field, f"naive {server}", *only, server=server)
    for row in found:
        for case, words in found[row].items():
            print(f"{row} {case}: {words}")
    for row in theirs:
        print(f"naive {row}: {theirs[row]}" if only else f"naive {row}: {len(theirs[row])}")
    if not only:
        DOCUMENT.write_text(render(found, theirs))


def observe(field: Field, name: str, *only: str, server: str = "") -> Found:
    """What every row found, or those for a naive proxy on `server`, by its id and case."""
    rows = [row for row in ROWS.values() if (not only or row.id in only) and server in {"", row.server}]
    return {row.id: row.observe(field) for row in tqdm(rows, desc=name, disable=None)}


if __name__ == "__main__":
    main(*sys.argv[1:])
