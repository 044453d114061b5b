"""Scopes as a list of boxes to tick, each with the words people read."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from oauth_provider.scopes.models import Scope
from oauth_provider.scopes.openid import OPENID_SCOPES


class ScopesField(forms.MultipleChoiceField):
    """Names of scopes, sorted; `initial` may also be one text with the names separated by blanks.

    Call `offer` when the form is made: it fixes what may be ticked.
    """

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def offer(self, stored: Iterable[str]) -> None:
        """Let every enabled scope be ticked, and what is `stored` be kept even if it is disabled or gone."""
        self.choices = scope_choices(stored)

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - whatever was stored or ticked
        """Names to tick."""
        return value.split() if isinstance(value, str) else value

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401 - Django's signature
        """Whether other boxes are ticked."""
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:  # noqa: ANN401 - whatever was ticked
        """The names, sorted.

        Raises:
            ValidationError: one of them may not be ticked.
        """
        return sorted(super().clean(value))


def scope_choices(stored: Iterable[str]) -> list[tuple[str, SafeString]]:
    """A choice for each enabled scope and each of the `stored` names; those of OpenID every client has anyway."""
    rows = {scope.name: scope for scope in Scope.objects.all()}
    names = {name for name, scope in rows.items() if scope.enabled and name not in OPENID_SCOPES} | set(stored)
    return [(name, _words(name, rows.get(name))) for name in sorted(names)]


def scope_words(names: Iterable[str]) -> list[SafeString]:
    """The words of each of `names`, sorted by name."""
    wanted = sorted(names)
    rows = {scope.name: scope for scope in Scope.objects.filter(name__in=wanted)}
    return [_words(name, rows.get(name)) for name in wanted]


def _words(name: str, scope: Scope | None) -> SafeString:
    if scope is None:
        return _choice(name, name, _("This scope no longer exists: it opens nothing."))
    notes = [scope.get_sensitivity_display()] + ([] if scope.enabled else [_("disabled: it opens nothing")])
    return _choice(scope.local_title, name, " · ".join([*notes, scope.local_description]).removesuffix(" · "))


def _choice(title: str, name: str, words: str) -> SafeString:
    return format_html(
        '<span class="gh-choice"><strong>{}</strong> <code>{}</code><small>{}</small></span>', title, name, words
    )
