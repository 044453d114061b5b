"""What the suite said, as a document for people and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from tests.conformance.explained import explained
from tests.conformance.runs import AUTHORIZATION, REVISIONS, SUBJECTS, Run
from tests.conformance.suite import Outcome, scenarios, version
from tests.journeys.server import ROOT

DOCUMENT: Final = ROOT / "docs" / "reference" / "conformance.md"
RESULTS: Final = ROOT / "docs" / "reference" / "conformance.json"
HEAD: Final = """# Conformance

What the MCP project's own suite, `@modelcontextprotocol/conformance` {version}, says of this gateway. It judges the
authorization server; [`/mcp`](../guides/mcp.md), in everything that it can ask of any server; and a fixture, which is a
server made of the MCP project's own Python SDK with the tools, prompts and resources that the suite knows by name
(`tests/conformance/fixture`): by itself, and behind the gateway at `/mcp/fixture`.

A cell says how many checks of a scenario pass, of how many that apply; every message is also checked against the schema
of its revision. – means that the scenario asks for what only the fixture has.

Written by `make conformance`, which starts everything. `make test` checks that the scenarios are those of the suite,
`make test-services` that the results are today's, and that they are the same of two gateways behind nginx which gives
each request to the next of them. The same as JSON: [conformance.json](conformance.json).

"""


def as_json(runs: Iterable[Run]) -> str:
    """The results for programs: of each check that does not pass or does not apply, why."""
    found = {"suite": "@modelcontextprotocol/conformance", "version": version(), "runs": [_run(run) for run in runs]}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def stored() -> list[Run]:
    """The results as they were written down."""
    return [
        Run(run["subject"], run["revision"], {name: Outcome(**found) for name, found in run["scenarios"].items()})
        for run in json.loads(RESULTS.read_text())["runs"]
    ]


def as_written(run: Run) -> Run:
    """A run with the reasons we give instead of the suite's words, in which addresses and times may stand."""
    return Run(run.subject, run.revision, {name: _explained(run, name) for name in sorted(run.outcomes)})


def render(runs: Iterable[Run]) -> str:
    """The document of results that were written down."""
    by_subject = {(run.subject, run.revision): run for run in runs}
    lines = [f"## {AUTHORIZATION.capitalize()}", "", "| scenario | |", "|---|---|"]
    for name, outcome in by_subject[AUTHORIZATION, ""].outcomes.items():
        lines.append(f"| {name} | {_cell(outcome)} |")
    for revision in REVISIONS:
        columns = [by_subject[subject, revision] for subject in SUBJECTS]
        lines += ["", f"## Revision {revision}", "", f"| scenario | {' | '.join(SUBJECTS)} |"]
        lines.append("|---|" + "---|" * len(columns))
        for name, kind in scenarios(revision).items():
            if any(name in run.outcomes for run in columns):
                cells = " | ".join(_cell(run.outcomes.get(name)) for run in columns)
                lines.append(f"| {name}{'' if kind == 'required' else f' ({kind})'} | {cells} |")
        lines.append(f"| **all** | {' | '.join(f'**{_total(run)}**' for run in columns)} |")
    return HEAD.format(version=version()) + "\n".join(lines + _reasons(by_subject.values())) + "\n"


def _run(run: Run) -> dict[str, Any]:
    found = {name: asdict(outcome) for name, outcome in run.outcomes.items()}
    return {"subject": run.subject, "revision": run.revision, "scenarios": found}


def _explained(run: Run, name: str) -> Outcome:
    outcome = run.outcomes[name]
    return Outcome(
        passed=outcome.passed,
        not_passed={check: explained(check, said) for check, said in outcome.not_passed.items()},
        not_applicable={check: explained(check, said) for check, said in outcome.not_applicable.items()},
    )


def _cell(outcome: Outcome | None) -> str:
    return "–" if outcome is None else _counted(outcome.passed, len(outcome.not_passed))


def _total(run: Run) -> str:
    found = run.outcomes.values()
    return _counted(sum(one.passed for one in found), sum(len(one.not_passed) for one in found))


def _counted(passed: int, not_passed: int) -> str:
    return f"{passed} of {passed + not_passed}"


def _reasons(runs: Iterable[Run]) -> list[str]:
    lines = []
    for title, field in (("Not passed", "not_passed"), ("Not applicable", "not_applicable")):
        lines += ["", f"## {title}", ""]
        told: dict[tuple[str, str], list[str]] = {}
        for run in runs:
            for outcome in run.outcomes.values():
                for check, reason in getattr(outcome, field).items():
                    told.setdefault((run.subject, reason), []).append(f"`{check}`")
        lines += [
            f"- {subject}: {reason}. {', '.join(dict.fromkeys(checks))}" for (subject, reason), checks in told.items()
        ]
    return lines
