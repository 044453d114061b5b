"""The suite says today what was written down: `make conformance` writes it anew."""

import shutil
from pathlib import Path

import pytest

from tests.conformance.document import as_written, stored
from tests.conformance.fixture.running import running_fixture
from tests.conformance.replicas import answering, replicated
from tests.conformance.runs import AUTHORIZATION, REVISIONS, SUBJECTS, Run, judged, observe, signed_in

pytestmark = [pytest.mark.node, pytest.mark.services]
RUNS = [(AUTHORIZATION, ""), *((subject, revision) for subject in SUBJECTS for revision in REVISIONS)]


@pytest.fixture(scope="module")
def written() -> dict[tuple[str, str], Run]:
    return {(run.subject, run.revision): run for run in stored()}


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Run]:
    """What it says now: every server is started once."""
    found = observe(tmp_path_factory.mktemp("conformance"))
    return {(run.subject, run.revision): as_written(run) for run in found}


@pytest.mark.parametrize(("subject", "revision"), RUNS)
def test_it_says_what_is_written_down(
    today: dict[tuple[str, str], Run], written: dict[tuple[str, str], Run], subject: str, revision: str
) -> None:
    assert today[subject, revision] == written[subject, revision]


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
def test_it_says_the_same_of_two_gateways_that_take_turns(written: dict[tuple[str, str], Run], tmp_path: Path) -> None:
    with (
        replicated(tmp_path / "gateways") as gateway,
        running_fixture(tmp_path / "fixture.log") as fixture,
        signed_in(gateway, fixture) as addresses,
    ):
        assert len(answering(gateway)) == 2
        for run in map(as_written, judged(addresses, tmp_path)):
            assert run == written[run.subject, run.revision]
