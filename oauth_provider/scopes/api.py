"""`scopes/`: permissions and their words."""

import re
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from oauth_provider.scopes.models import Scope
from oauth_provider.scopes.save import remove_scope, save_scope
from oauth_provider.staff_api.fields import Strict, StrictModel
from oauth_provider.staff_api.schema import one_or_many
from oauth_provider.staff_api.views import Writable

LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
MAX_DESCRIPTION = 2000


class WordsSerializer(Strict):
    """What people read in one language."""

    title = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)


class ScopeSerializer(StrictModel):
    """A permission."""

    fixed = frozenset({"name"})
    description = serializers.CharField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)
    translations = serializers.DictField(child=WordsSerializer(), required=False)

    class Meta:
        model = Scope
        fields = ("name", "title", "description", "translations", "sensitivity", "self_registration", "enabled")

    def validate_translations(self, value: dict[str, Any]) -> dict[str, Any]:
        """By language codes as Django writes them, such as pt-br.

        Raises:
            ValidationError: a key is no language.
        """
        folded = {code.lower(): words for code, words in value.items()}
        if len(folded) != len(value) or not all(map(LANGUAGE.fullmatch, folded)):
            raise serializers.ValidationError(_("Each key is a language such as pt-br, once."))
        return folded


@extend_schema_view(create=one_or_many(ScopeSerializer))
class ScopeView(Writable):
    """A permission in use is disabled, not deleted."""

    resource = "scopes"
    model = Scope
    serializer_class = ScopeSerializer
    lookup_field = "name"
    key_converter = "path"
    order = ("name",)
    takes_lists = True
    access_fields = frozenset({"enabled", "self_registration"})

    def make(self, values: dict[str, Any]) -> Scope:
        """A new one."""
        scope = Scope(**values)
        save_scope(scope=scope, actor=self.actor, fields=values, note=self.reason)
        return scope

    def change(self, row: Scope, values: dict[str, Any], reason: str) -> None:
        """Its words, its sensitivity, or whether it opens anything."""
        for name, value in values.items():
            setattr(row, name, value)
        save_scope(scope=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: Scope, reason: str) -> None:
        """Only one that nothing names."""
        remove_scope(scope=row, actor=self.actor, note=reason)
