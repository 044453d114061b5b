"""Serializers that refuse what they do not know, and the fields several resources share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_NAMES = 500


class Strict(serializers.Serializer[Any]):
    """An unknown field is an error, and so is another value for one that cannot be set.

    What a GET gave may be sent back: a fixed field with its present value changes nothing.
    """

    # Set when the object is made, and never again
    fixed: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """Checked values.

        Raises:
            ValidationError: by field.
        """
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        present = self._present()
        settled = {name for name in data if name in present and data[name] == present[name]}
        errors = {name: words for name in data if name not in settled and (words := self._refusal(name, present))}
        if errors:
            raise serializers.ValidationError(errors)
        return super().to_internal_value({name: value for name, value in data.items() if name not in settled})

    def _present(self) -> Mapping[str, Any]:
        """What the fields that cannot be set have now."""
        if self.instance is None:
            return {}
        shown = self.to_representation(self.instance)
        return {name: value for name, value in shown.items() if name in self.fixed or self.fields[name].read_only}

    def _refusal(self, name: str, present: Mapping[str, Any]) -> list[str]:
        field = self.fields.get(name)
        if field is None:
            return [_("There is no such field.")]
        if name in present or field.read_only:
            return [_("This cannot be set.") if field.read_only else _("This cannot be changed.")]
        return []

    def changes(self) -> dict[str, Any]:
        """Of the checked values those that differ from what the object has, by the name of the field."""
        shown = {} if self.instance is None else self.to_representation(self.instance)
        found = {}
        for name, field in self.fields.items():
            if field.source not in self.validated_data:
                continue
            value = self.validated_data[field.source]
            if name not in shown or _shown(field, value) != shown[name]:
                found[name] = value
        return found


class StrictModel(Strict, serializers.ModelSerializer[Any]):
    """The same for a model's fields."""


def _shown(field: serializers.Field[Any, Any, Any, Any], value: Any) -> Any:  # noqa: ANN401 - any field's
    return None if value is None else field.to_representation(value)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Words(serializers.ListField):
    """A list of texts that the model keeps as one, separated by blanks; each once, in the order given."""

    def __init__(self, **kwargs: Any) -> None:
        child = serializers.RegexField(r"\A\S+\Z", max_length=2000)
        super().__init__(child=child, max_length=MAX_NAMES, **kwargs)

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """As the model keeps it."""
        return " ".join(dict.fromkeys(super().to_internal_value(data)))

    def to_representation(self, data: Any) -> list[str]:  # noqa: ANN401 - the model's text
        """A list."""
        return str(data).split()


class ScopeNames(Words):
    """Names of scopes, sorted."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """As the model keeps them."""
        return " ".join(sorted(super().to_internal_value(data).split()))
