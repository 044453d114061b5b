"""The suite says today what was written down: `make conformance` writes it anew."""

import pytest

from tests.conformance.document import as_written, stored
from tests.conformance.runs import AUTHORIZATION, REVISIONS, SUBJECTS, Run, observe

pytestmark = [pytest.mark.node, pytest.mark.services]
RUNS = [(AUTHORIZATION, ""), *((subject, revision) for subject in SUBJECTS for revision in REVISIONS)]


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Run]:
    """What it says now: every server is started once."""
    found = observe(tmp_path_factory.mktemp("conformance"))
    return {(run.subject, run.revision): as_written(run) for run in found}


@pytest.mark.parametrize(("subject", "revision"), RUNS)
def test_it_says_what_is_written_down(today: dict[tuple[str, str], Run], subject: str, revision: str) -> None:
    written = {(run.subject, run.revision): run for run in stored()}
    assert today[subject, revision] == written[subject, revision]
