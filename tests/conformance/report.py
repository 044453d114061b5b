"""Run the suite at everything and write down what it says: `make conformance`."""

import tempfile
from pathlib import Path

from tests.conformance.document import DOCUMENT, RESULTS, as_json, as_written, render
from tests.conformance.runs import observe


def main() -> None:
    """Write docs/reference/conformance.md and .json."""
    with tempfile.TemporaryDirectory() as name:
        runs = [as_written(run) for run in observe(Path(name))]
    RESULTS.write_text(as_json(runs))
    DOCUMENT.write_text(render(runs))
    for run in runs:
        failing = [name for name, outcome in run.outcomes.items() if outcome.not_passed]
        print(f"{run.subject} {run.revision}: {len(run.outcomes)} scenarios, not all of {', '.join(failing) or 'none'}")


if __name__ == "__main__":
    main()
