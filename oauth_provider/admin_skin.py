"""Unfold's decorators with types: the library has none, and strict checking would lose ours."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.utils.functional import Promise
from unfold.decorators import action as _action
from unfold.decorators import display as _display
from unfold.enums import ActionVariant

Function = TypeVar("Function", bound=Callable[..., Any])
Words = Promise | str


def column(
    *, description: Words, ordering: str = "", boolean: bool | None = None, label: Mapping[str, str] | None = None
) -> Callable[[Function], Function]:
    """A column or read-only field; `label` maps a value to the colour of its chip (success, warning, danger, info)."""

    def decorate(function: Function) -> Function:
        decorated: Function = _display(
            function, description=description, ordering=ordering or None, boolean=boolean, label=label
        )
        return decorated

    return decorate


def page_button(
    *, description: Words, path: str, icon: str, variant: ActionVariant = ActionVariant.DEFAULT
) -> Callable[[Function], Function]:
    """A button above an object's page that opens `<object>/<path>/`; the method is that page's view."""

    def decorate(function: Function) -> Function:
        decorated: Function = _action(function, description=description, url_path=path, icon=icon, variant=variant)
        return decorated

    return decorate
