"""`limits/`: how many calls, of whom or at what, in which time."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, extend_schema_view
from rest_framework import serializers

from oauth_provider.staff_api.fields import StrictModel
from oauth_provider.staff_api.schema import one_or_many
from oauth_provider.staff_api.views import Writable
from proxy.catalogue.models import Backend, Operation
from proxy.limits.models import AgentTier, Limit, Per
from proxy.limits.save import remove_limit, save_limit


class BackendName(serializers.SlugRelatedField[Backend]):
    """A backend by its name."""

    def to_internal_value(self, data: Any) -> Backend:  # noqa: ANN401 - whatever was sent
        """The backend.

        Raises:
            ValidationError: there is none of that name.
        """
        if not isinstance(data, str) or "\x00" in data:
            raise serializers.ValidationError(_("The name of a backend."))
        return super().to_internal_value(data)


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class OperationField(serializers.Field[Any, Any, Any, Any]):
    """An operation by its operation id, which backends may share, or by its number; shown by its operation id."""

    def to_internal_value(self, data: Any) -> Operation:  # noqa: ANN401 - whatever was sent
        """The operation.

        Raises:
            ValidationError: there is none, or several backends have one of that name.
        """
        if isinstance(data, bool) or not isinstance(data, str | int) or (isinstance(data, str) and "\x00" in data):
            raise serializers.ValidationError(_("The id of an operation."))
        wanted = Q(operation_id=data) if isinstance(data, str) else Q(pk=data)
        backend = self.parent.initial_data.get("backend") if isinstance(self.parent.initial_data, dict) else None
        if isinstance(data, str) and isinstance(backend, str):
            wanted &= Q(backend__name=backend.replace("\x00", ""))
        try:
            found = list(Operation.objects.select_related("backend").filter(wanted)[:2])
        except OverflowError:
            found = []
        if len(found) > 1:
            raise serializers.ValidationError(_("Several backends have an operation of this name: say which."))
        if not found:
            raise serializers.ValidationError(_("There is no such operation."))
        return found[0]

    def to_representation(self, value: Operation) -> str:
        """Its operation id."""
        return value.operation_id


class LimitSerializer(StrictModel):
    """A limit; a selector that is null names everything."""

    backend = BackendName(slug_field="name", queryset=Backend.objects.all(), required=False, allow_null=True)
    operation = OperationField(required=False, allow_null=True)
    client = serializers.CharField(max_length=255, required=False, allow_null=True)
    agent_tier = serializers.ChoiceField(choices=AgentTier.choices, required=False, allow_null=True)
    per = serializers.ChoiceField(choices=Per.choices)
    max = serializers.IntegerField(source="max_calls", min_value=1, max_value=10**9)

    class Meta:
        model = Limit
        fields = ("id", "backend", "operation", "client", "agent_tier", "per", "max", "window_ms")

    def validate_client(self, value: str | None) -> str:
        """As the model keeps it."""
        return value or ""

    def validate_agent_tier(self, value: str | None) -> str:
        """As the model keeps it."""
        return value or ""

    def to_representation(self, instance: Limit) -> dict[str, Any]:
        """Null where it names everything."""
        shown = super().to_representation(instance)
        return shown | {name: shown[name] or None for name in ("client", "agent_tier")}


@extend_schema_view(create=one_or_many(LimitSerializer))
class LimitView(Writable):
    """Of the limits with the same `per`, the most specific one counts: operation before client before backend."""

    resource = "limits"
    model = Limit
    serializer_class = LimitSerializer
    filters = {
        "backend": lambda name: Q(backend__name=name),
        "operation": lambda name: Q(operation__operation_id=name),
        "client": lambda client_id: Q(client=client_id),
        "per": lambda per: Q(per=per),
    }
    renamed = {"max_calls": "max"}
    takes_lists = True

    def get_queryset(self) -> QuerySet[Limit]:
        """Limits with the names of what they select."""
        return Limit.objects.select_related("backend", "operation__backend")

    def found(self, *, locked: bool = False) -> Any:  # noqa: ANN401 - as the base class has it
        """One, with its selectors read apart: a row that may be missing cannot be locked."""
        row = super().found()
        if locked:
            Limit.objects.select_for_update().get(pk=row.pk)
        return row

    def make(self, values: dict[str, Any]) -> Limit:
        """A new one; it counts from now on."""
        limit = Limit(**values)
        save_limit(limit=limit, actor=self.actor, fields=values, note=self.reason)
        return limit

    def change(self, row: Limit, values: dict[str, Any], reason: str) -> None:
        """Of what, for whom, how many."""
        for name, value in values.items():
            setattr(row, "max_calls" if name == "max" else name, value)
        save_limit(limit=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: Limit, reason: str) -> None:
        """The next most specific one counts from now on."""
        remove_limit(limit=row, actor=self.actor, note=reason)
