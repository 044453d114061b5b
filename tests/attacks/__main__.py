"""Run the table against both servers and write it down: `python -m tests.attacks`."""

import tempfile
from pathlib import Path

from tqdm import tqdm

import tests.attacks.rows  # noqa: F401 - fills the table
from tests.attacks.document import DOCUMENT, render
from tests.attacks.servers import gatehouse, stock
from tests.attacks.table import ROWS
from tests.attacks.target import Target


def main() -> None:
    """Write docs/reference/attack-results.md."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with gatehouse(folder / "ours") as target:
            ours = observe(target)
        with stock(folder / "stock") as target:
            theirs = observe(target)
    DOCUMENT.write_text(render(ours, theirs))
    print(f"{DOCUMENT}: {_met(ours)} of {len(ROWS)} met by ours, {_met(theirs)} by the stock project")


def observe(target: Target) -> dict[str, str]:
    """What every row found, by its id."""
    rows = tqdm(ROWS.values(), desc=target.paths.token, disable=None)
    return {row.id: row.observe(target.from_address(number)) for number, row in enumerate(rows)}


def _met(found: dict[str, str]) -> int:
    return sum(verdict == "met" for verdict in found.values())


if __name__ == "__main__":
    main()
