"""What an import would change: the document, what was last imported, and what is there now, compared field by field.

Where staff changed something since the last import, theirs stays; if the document changed it too, both are shown.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext as _

from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.openapi_import.propose import Proposal
from proxy.catalogue.tools import JsonObject

FIELDS: Final = ("methods", "path", "title", "description", "scopes", "enabled", "consequential", "parameters",
                 "request_schema", "request_type", "response_schema", "annotations")  # fmt: skip
# What was remembered of an import before there was the field
_BEFORE: Final[JsonObject] = {"request_type": ""}
# Under this key what is remembered of an import has the name the document gave the operation
DOCUMENT_ID: Final = "operation_id"
_ABSENT: Final = object()


class Fate(StrEnum):
    """What becomes of an operation."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    GONE = "gone"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field. `kept`: staff changed it too, so that it stays `before`, and `after` is what the document says now."""

    name: str
    before: Any
    after: Any
    kept: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the document or of the backend; `label` is its method and path."""

    fate: Fate
    label: str
    operation: Operation | None
    proposal: Proposal | None
    changes: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def taken(self) -> list[FieldChange]:
        """The changes that an import makes."""
        return [change for change in self.changes if not change.kept]

    @property
    def conflicts(self) -> list[FieldChange]:
        """The changes that it does not make, because of what staff did."""
        return [change for change in self.changes if change.kept]


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it, in the order of the document. `digest` is another one as soon as anything of it is."""

    steps: Sequence[Step]
    notes: Sequence[str]
    digest: str

    def of(self, fate: Fate) -> list[Step]:
        """The steps of one fate."""
        return [step for step in self.steps if step.fate is fate]


def make_plan(*, backend: Backend, proposals: Iterable[Proposal], notes: Sequence[str]) -> Plan:
    """Compare the `proposals` with the operations of `backend`."""
    present = list(backend.operations.order_by("id"))
    match = _Matches(present)
    steps = [_step(proposal, match) for proposal in proposals]
    steps += [_gone(operation) for operation in present if match.is_gone(operation)]
    return Plan(steps, notes, _digest(present, steps))


def remembered(proposal: Proposal) -> JsonObject:
    """What is kept of an imported operation, to tell staff's changes from the document's next time."""
    return {DOCUMENT_ID: proposal.operation_id, **(proposal.values or {})}


class _Matches:
    """Finds the operation that a proposal is about; each is found once."""

    def __init__(self, present: Sequence[Operation]) -> None:
        self._answers: dict[tuple[str, str], Operation] = {}
        self._imported: dict[str, Operation] = {}
        for operation in present:
            for method in operation.methods:
                self._answers.setdefault((method, operation.path), operation)
            if operation.imported:
                base = operation.imported
                for method in base["methods"]:
                    self._answers.setdefault((method, base["path"]), operation)
                if base[DOCUMENT_ID]:
                    self._imported.setdefault(base[DOCUMENT_ID], operation)
        self._found: set[int] = set()

    def of(self, proposal: Proposal) -> tuple[Operation | None, bool]:
        """By method and path, else by the name it had when it was last imported; and whether it is free to be it."""
        values = proposal.values or {}
        at_path = self._answers.get((values["methods"][0], values["path"]))
        if at_path is not None:
            is_free = at_path.pk not in self._found and (len(at_path.methods) == 1 or bool(at_path.imported))
            self._found.add(at_path.pk)
            return at_path, is_free
        named = self._imported.get(proposal.operation_id)
        if named is None or named.pk in self._found:
            return None, True
        self._found.add(named.pk)
        return named, True

    def is_gone(self, operation: Operation) -> bool:
        """Whether it came from a document that does not have it any more, and still answers."""
        return bool(operation.imported) and operation.enabled and operation.pk not in self._found


def _step(proposal: Proposal, match: _Matches) -> Step:
    if proposal.values is None:
        return Step(Fate.LEFT_OUT, proposal.label, None, proposal, notes=proposal.notes)
    operation, is_free = match.of(proposal)
    if operation is None:
        return Step(Fate.NEW, proposal.label, None, proposal, notes=proposal.notes)
    if not is_free:
        words = _("Left out: %(name)s answers this already, with other methods.") % {"name": operation.operation_id}
        return Step(Fate.LEFT_OUT, proposal.label, operation, proposal, notes=(words,))
    changes = tuple(_changes(operation, proposal.values))
    is_same = not changes and _last(operation) == remembered(proposal)
    return Step(Fate.SAME if is_same else Fate.CHANGED, proposal.label, operation, proposal, changes, proposal.notes)


def _changes(operation: Operation, values: JsonObject) -> Iterator[FieldChange]:
    base = _last(operation)
    for name in FIELDS:
        ours, theirs, last = getattr(operation, name), values[name], base.get(name, _ABSENT)
        if _same(ours, theirs) or (last is not _ABSENT and _same(last, theirs)):
            continue
        yield FieldChange(name, ours, theirs, kept=last is _ABSENT or not _same(ours, last))


def _last(operation: Operation) -> JsonObject:
    return _BEFORE | operation.imported if operation.imported else {}


def _same(one: object, other: object) -> bool:
    # 1 and true are equal to Python only
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _gone(operation: Operation) -> Step:
    label = f"{' '.join(operation.methods)} {operation.path}"
    return Step(Fate.GONE, label, operation, None, (FieldChange("enabled", before=True, after=False, kept=False),))


def _digest(present: Sequence[Operation], steps: Sequence[Step]) -> str:
    rows = [
        [each.operation_id, each.tool_name, each.imported, *(getattr(each, name) for name in FIELDS)]
        for each in present
    ]
    wanted = [[step.fate, step.label, remembered(step.proposal) if step.proposal else None] for step in steps]
    return hashlib.sha256(json.dumps([rows, wanted], sort_keys=True).encode()).hexdigest()
