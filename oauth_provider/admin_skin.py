"""How our pages show what they show: columns, chips, moments, buttons; unfold's decorators with types."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from unfold.decorators import action as _action
from unfold.enums import ActionVariant

Function = TypeVar("Function", bound=Callable[..., Any])
Words = Promise | str
Tone = Literal["good", "warn", "danger", "plain"]


def column(*, description: Words, ordering: str = "") -> Callable[[Function], Function]:
    """A column of a list, or a field that is only read."""

    def decorate(function: Function) -> Function:
        decorated: Function = admin.display(function, description=str(description), ordering=ordering or None)
        decorated.short_description = description  # type: ignore[attr-defined]  # lazy, unlike the decorator's
        return decorated

    return decorate


def chip(tone: Tone, words: Words) -> SafeString:
    """A short state, told apart by its words as well as by its colour."""
    return format_html('<span class="gh-chip gh-chip--{}">{}</span>', tone, words)


def code(text: str) -> SafeString:
    """Something that programs compare letter by letter."""
    return format_html('<code class="gh-code">{}</code>', text)


def ago(moment: datetime | None) -> SafeString | str:
    """How long ago, and when exactly; that it never was, for None."""
    if moment is None:
        return _("Never")
    local = timezone.localtime(moment)
    words = _("%(time)s ago") % {"time": timesince(moment, depth=1)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), date_format(local, "DATETIME_FORMAT"), words
    )


def page_button(
    *, description: Words, path: str, icon: str, variant: ActionVariant = ActionVariant.DEFAULT
) -> Callable[[Function], Function]:
    """A button above an object's page that opens `<object>/<path>/`; the method is that page's view."""

    def decorate(function: Function) -> Function:
        decorated: Function = _action(function, description=description, url_path=path, icon=icon, variant=variant)
        return decorated

    return decorate
