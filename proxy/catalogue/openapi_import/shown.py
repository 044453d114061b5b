"""A plan as its page shows it: words for every field, and values that fit a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import Tone, Words
from proxy.catalogue.models import Operation
from proxy.catalogue.openapi_import.merge import Fate, FieldChange, Plan, Step
from proxy.catalogue.openapi_import.report import short

_WORDS: dict[Fate, tuple[Tone, Words]] = {
    Fate.NEW: ("good", gettext_lazy("New")),
    Fate.CHANGED: ("warn", gettext_lazy("Changed")),
    Fate.GONE: ("danger", gettext_lazy("Gone")),
    Fate.LEFT_OUT: ("plain", gettext_lazy("Left out")),
    Fate.SAME: ("plain", gettext_lazy("As before")),
}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One field."""

    label: str
    before: str
    after: str
    kept: bool


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One operation."""

    tone: Tone
    fate: Words
    label: str
    operation: Operation | None
    state: str
    changes: Sequence[ShownChange]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """All that changes, and how many of what kind there are."""

    counts: Sequence[tuple[Words, int]]
    steps: Sequence[ShownStep]
    notes: Sequence[str]


def shown(plan: Plan, *, disable_missing: bool) -> ShownPlan:
    """The page's view of `plan`; what stays as it is is only counted, unless there is something to say of it."""
    steps = [step for step in plan.steps if step.fate is not Fate.SAME or step.notes]
    return ShownPlan(
        counts=[(_WORDS[fate][1], len(plan.of(fate))) for fate in Fate],
        steps=[_shown_step(step, disable_missing) for step in steps],
        notes=plan.notes,
    )


def _shown_step(step: Step, disable_missing: bool) -> ShownStep:
    tone, fate = _WORDS[step.fate]
    changes = [] if step.fate is Fate.GONE else [_shown_change(change) for change in step.changes]
    return ShownStep(tone, fate, step.label, step.operation, _state(step, disable_missing), changes, step.notes)


def _state(step: Step, disable_missing: bool) -> str:
    if step.fate is Fate.GONE:
        return _("It will be disabled.") if disable_missing else _("It stays as it is.")
    if step.fate is not Fate.NEW or step.proposal is None or step.proposal.values is None:
        return ""
    if not step.proposal.values["enabled"]:
        # Its notes say so, and why
        return ""
    facts = {"names": ", ".join(step.proposal.values["scopes"]), "path": step.proposal.values["path"]}
    return _("Enabled at %(path)s; it needs %(names)s") % facts


def _shown_change(change: FieldChange) -> ShownChange:
    names = {field.name: field.verbose_name for field in Operation._meta.fields}
    label = str(names[change.name])
    return ShownChange(label, short(change.before), short(change.after), change.kept)
