"""`import_openapi`: a diff for people, JSON for programs, and an exit status."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from audit.ledger.models import Event
from proxy.catalogue.models import Backend, Operation
from tests.internet import Internet
from tests.proxy.catalogue.openapi_import.documents import DOCUMENT, document, store_backend

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def backend(db: None) -> Backend:
    """A backend and two permissions."""
    del db
    return store_backend()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The document as YAML."""
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT))
    return path


def run(source: Path | str, *arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("import_openapi", str(source), "--backend", "jobs", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_shows_and_changes_nothing(source: Path) -> None:
    printed = run(source, "--dry-run")
    assert "+ GET /jobs  (listJobs)" in printed
    assert "    /jobs/{job_id}  jobs:read" in printed
    assert "! Disabled: the document does not say which permissions it needs." in printed
    assert "new 4, changed 0, same 0, gone 0, left out 0" in printed
    assert not Operation.objects.exists()


def test_an_import_is_done_and_recorded_with_its_reason(source: Path) -> None:
    assert "Imported." in run(source, "--reason", "First")
    assert Operation.objects.count() == 4
    assert {event.note for event in Event.objects.filter(reason="openapi_import")} == {"First"}


def test_changes_conflicts_and_what_is_gone_are_shown(source: Path) -> None:
    run(source)
    Operation.objects.filter(operation_id="listJobs").update(title="Ours")
    changed = document()
    changed["paths"]["/jobs"]["get"] |= {"summary": "Theirs", "description": "New words."}
    del changed["paths"]["/jobs"]["post"]
    source.write_text(json.dumps(changed))
    printed = run(source)
    for expected in (
        "~ GET /jobs  (listJobs)",
        "    description: All of them.",
        "      → New words.",
        "    title: Ours",
        "      kept, because staff changed it; the document says Theirs",
        "? POST /jobs  (addJob)",
    ):
        assert expected in printed
    assert "- POST /jobs  (addJob)" in run(source, "--disable-missing")
    assert not Operation.objects.get(operation_id="addJob").enabled


def test_json_is_all_that_is_printed(source: Path) -> None:
    facts: dict[str, Any] = json.loads(run(source, "--json", "--scope", "jobs:write"))
    assert (facts["backend"], facts["applied"], len(facts["new"])) == ("jobs", True, 4)
    dropped = next(each for each in facts["new"] if each["operation"] == "DELETE /jobs/{job-id}")
    assert (dropped["values"]["scopes"], dropped["values"]["enabled"]) == (["jobs:write"], True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--scope", "nope"], "nope"),
        (["--backend", "nope"], "nope"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(source: Path, arguments: list[str], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        run(source, *arguments)


@pytest.mark.parametrize("source", ["/nowhere/openapi.yaml", "/", "a\x00b"])
def test_a_file_that_cannot_be_read_is_said(source: str) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(source)


def test_an_address_is_fetched_through_the_guard(internet: Internet) -> None:
    internet.host("docs.example", lambda visit: visit.answer(json.dumps(DOCUMENT).encode()))
    assert "Imported." in run("https://docs.example/openapi.json")
    assert internet.visits[0].path == "/openapi.json"


def test_an_address_that_answers_otherwise_is_refused(internet: Internet) -> None:
    internet.host("moved.example", lambda visit: visit.answer(b"", status=302, location="http://10.0.0.1/"))
    internet.host("gone.example", lambda visit: visit.answer(b"", status=404))
    internet.host("inside.example", lambda visit: visit.answer(b"{}"), address="10.0.0.5")
    for url, words in {
        "https://moved.example/": "leads on",
        "https://gone.example/": "404",
        "https://inside.example/": "not fetched",
        "http://docs.example/": "not fetched",
        "http://169.254.169.254/latest": "not fetched",
        "https://nowhere.example/": "Nobody answers",
    }.items():
        with pytest.raises(CommandError, match=words):
            run(url)
    assert not Operation.objects.exists()
