"""A form field for several values, one per line."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminExpandableTextareaWidget


class LinesField(forms.CharField):
    """A list of texts; its `initial` may also be one text with the values separated by white space."""

    widget = UnfoldAdminExpandableTextareaWidget

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - whatever was stored or typed
        """Lines to edit."""
        return "\n".join(value if isinstance(value, list) else (value or "").split())

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - whatever was typed
        """The values in order, each once."""
        return list(dict.fromkeys((value or "").split()))

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401 - Django's signature
        """Whether other values, or another order, were typed."""
        before = initial if isinstance(initial, list) else (initial or "").split()
        return bool(before != self.to_python(data))
