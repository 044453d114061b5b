"""The stored results are of the suite that is installed, and explain themselves."""

import json

import pytest

from tests.conformance.document import DOCUMENT, RESULTS, render, stored
from tests.conformance.explained import UNEXPLAINED
from tests.conformance.runs import AUTHORIZATION, DIRECT, REVISIONS, SUBJECTS, Run, expected
from tests.conformance.suite import version

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def runs() -> dict[tuple[str, str], Run]:
    return {(run.subject, run.revision): run for run in stored()}


def test_they_are_of_this_version() -> None:
    assert json.loads(RESULTS.read_text())["version"] == version()


def test_they_are_of_every_server_in_every_revision(runs: dict[tuple[str, str], Run]) -> None:
    assert runs.keys() == {
        (AUTHORIZATION, ""),
        *((subject, revision) for subject in SUBJECTS for revision in REVISIONS),
    }


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_they_have_every_scenario(runs: dict[tuple[str, str], Run], subject: str, revision: str) -> None:
    assert runs[subject, revision].outcomes.keys() == expected(subject, revision)


def test_nothing_stays_without_a_reason() -> None:
    assert UNEXPLAINED not in RESULTS.read_text()


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_fixture_itself_passes_everything(runs: dict[tuple[str, str], Run], revision: str) -> None:
    assert not any(outcome.not_passed for outcome in runs[DIRECT, revision].outcomes.values())


def test_the_document_says_the_same(runs: dict[tuple[str, str], Run]) -> None:
    assert render(runs.values()) == DOCUMENT.read_text()
