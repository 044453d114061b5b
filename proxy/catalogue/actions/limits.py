"""What ChatGPT takes of a GPT's Action, and the words for what is beyond it.

The lengths are those of OpenAI's notes on actions in production; the number of operations is what its editor accepts.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

OPERATIONS_MAX: Final = 30
DESCRIPTION_MAX: Final = 300
PARAMETER_MAX: Final = 700
NAME_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps a document from being made: the operation, if it is one's fault, and what to change."""

    operation: str
    words: str


class NotWithinLimits(Exception):
    """There is no document that ChatGPT would take; `faults` say why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(len(faults))
        self.faults = faults


def number_fault(number: int) -> Fault:
    """Too many operations, or none."""
    if not number:
        return Fault("", _("No operation here takes a sign-in with these permissions: add or enable one."))
    words = {"number": number, "most": OPERATIONS_MAX}
    return Fault(
        "",
        _(
            "There are %(number)d operations, and ChatGPT takes %(most)d: disable some, or add ?client_id= with a "
            "client that may do less."
        )
        % words,
    )


def text_fault(operation: str, text: str) -> Fault | None:
    """A description that is too long."""
    if len(text) <= DESCRIPTION_MAX:
        return None
    words = {"length": len(text), "most": DESCRIPTION_MAX}
    return Fault(
        operation,
        _("Its description has %(length)d characters, and ChatGPT takes %(most)d: shorten it.") % words,
    )


def parameter_fault(operation: str, name: str, text: object) -> Fault | None:
    """A parameter, or a property of the body, that is described at too great length."""
    if not isinstance(text, str) or len(text) <= PARAMETER_MAX:
        return None
    words = {"name": name, "length": len(text), "most": PARAMETER_MAX}
    return Fault(
        operation,
        _("The description of %(name)s has %(length)d characters, and ChatGPT takes %(most)d: shorten it.") % words,
    )


def header_fault(operation: str, name: str) -> Fault:
    """A header that the call cannot do without: GPT Actions send none of their own."""
    words = {"name": name}
    return Fault(
        operation,
        _("It needs the header %(name)s, and ChatGPT sends no headers: make it optional or a query parameter.") % words,
    )


def name_fault(operation: str, name: str, *, taken: bool) -> Fault | None:
    """A name that another operation has, or that is too long."""
    if taken:
        return Fault(operation, _("Another operation is called %(name)s too: rename one.") % {"name": name})
    if len(name) > NAME_MAX:
        words = {"name": name, "most": NAME_MAX}
        return Fault(operation, _("The name %(name)s is longer than %(most)d characters: shorten its id.") % words)
    return None


def root_fault(operation: str) -> Fault:
    """OpenAPI has no name for a server's own address."""
    return Fault(operation, _("Its path is /, which an OpenAPI document cannot say: give it a path of its own."))


def schema_fault(operation: str, keyword: str) -> Fault:
    """A schema that would mean something else inside the document."""
    words = {"keyword": keyword}
    return Fault(
        operation, _("A schema of it uses %(keyword)s, which the GPT editor does not read: use $defs and #/…") % words
    )
