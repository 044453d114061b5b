"""An import in lines for people and in JSON for programs."""

import json
from collections.abc import Iterator
from typing import Any, Final

from django.utils.translation import gettext as _

from proxy.catalogue.models import Backend
from proxy.catalogue.openapi_import.merge import Fate, FieldChange, Plan, Step

VALUE_MAX: Final = 160


def lines_of(plan: Plan, *, disable_missing: bool) -> Iterator[str]:
    """What changes, one operation after another, and what of the document is left out."""
    for step in plan.steps:
        if step.fate is not Fate.SAME:
            yield f"{_sign(step, disable_missing=disable_missing)} {step.label}{_name(step)}"
            yield from (f"    {line}" for line in _becomes(step))
            yield from (f"    {line}" for change in step.changes for line in _difference(step, change))
        yield from (f"    ! {note}" for note in step.notes)
    yield from (f"! {note}" for note in plan.notes)
    numbers = {fate: len(plan.of(fate)) for fate in Fate}
    yield ", ".join(f"{fate.replace('_', ' ')} {number}" for fate, number in numbers.items())


def facts_of(plan: Plan, *, backend: Backend, applied: bool) -> dict[str, Any]:
    """The same as an object; operations by what becomes of them."""
    return {
        "backend": backend.name,
        "applied": applied,
        "notes": list(plan.notes),
        **{str(fate): [_facts(step) for step in plan.of(fate)] for fate in Fate},
    }


def short(value: object) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    line = " ".join(text.split())
    return line if len(line) <= VALUE_MAX else f"{line[: VALUE_MAX - 1]}…"


def _sign(step: Step, *, disable_missing: bool) -> str:
    if step.fate is Fate.GONE:
        return "-" if disable_missing else "?"
    return {Fate.NEW: "+", Fate.CHANGED: "~", Fate.LEFT_OUT: "!"}[step.fate]


def _name(step: Step) -> str:
    if step.operation is not None:
        return f"  ({step.operation.operation_id})"
    return f"  ({step.proposal.operation_id})" if step.proposal and step.proposal.operation_id else ""


def _becomes(step: Step) -> Iterator[str]:
    """Where a new operation will be, and what it needs; its notes say why it is disabled."""
    if step.fate is Fate.NEW and step.proposal is not None and step.proposal.values is not None:
        needs = " ".join(step.proposal.values["scopes"]) or "–"
        yield f"{step.proposal.values['path']}  {needs}"


def _difference(step: Step, change: FieldChange) -> Iterator[str]:
    if step.fate is Fate.GONE:
        yield _("not in the document any more")
        return
    yield f"{change.name}: {short(change.before)}"
    arrow = _("kept, because staff changed it; the document says") if change.kept else "→"
    yield f"  {arrow} {short(change.after)}"


def _facts(step: Step) -> dict[str, Any]:
    facts: dict[str, Any] = {"operation": step.label}
    if step.operation is not None:
        facts["operation_id"] = step.operation.operation_id
    if step.fate is Fate.NEW and step.proposal is not None:
        facts["values"] = step.proposal.values
    changes = {"changes": step.taken, "conflicts": step.conflicts}
    facts |= {
        name: {change.name: {"from": change.before, "to": change.after} for change in found}
        for name, found in changes.items()
        if found
    }
    return facts | ({"notes": list(step.notes)} if step.notes else {})
