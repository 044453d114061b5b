"""`servers/`: choices of tools that AI clients connect to at an address of their own."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from oauth_provider.staff_api.fields import StrictModel
from oauth_provider.staff_api.views import Writable
from proxy.catalogue.models import Operation
from proxy.catalogue.servers.models import McpServer
from proxy.catalogue.servers.remove import remove_server
from proxy.catalogue.servers.save import save_server

OPERATIONS_MAX = 500


@extend_schema_field({"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "integer"}]}})
class OperationsField(serializers.Field[Any, Any, Any, Any]):
    """Operations as `<backend>/<operation id>`, by their operation id where no other backend has it, or by number."""

    def to_internal_value(self, data: Any) -> list[Operation]:  # noqa: ANN401 - whatever was sent
        """The operations, each once.

        Raises:
            ValidationError: no list, or one of them is not there or of several backends.
        """
        if not isinstance(data, list) or len(data) > OPERATIONS_MAX or not all(map(_is_key, data)):
            raise serializers.ValidationError(
                _("A list of at most %(number)s operations, each as backend/operation id.") % {"number": OPERATIONS_MAX}
            )
        found = _by_key(data)
        faults = [_fault(key, found.get(key, [])) for key in data if len(found.get(key, [])) != 1]
        if faults:
            raise serializers.ValidationError(faults)
        return list({operation.pk: operation for key in data for operation in found[key]}.values())

    def to_representation(self, value: Any) -> list[str]:  # noqa: ANN401 - a server's, or what was sent
        """Sorted, with their backends."""
        return sorted(str(operation) for operation in (value if isinstance(value, list) else value.all()))


def _is_key(key: object) -> bool:
    if isinstance(key, str):
        return "\x00" not in key
    return isinstance(key, int) and not isinstance(key, bool) and 0 < key < 1 << 63


def _by_key(keys: list[str | int]) -> dict[str | int, list[Operation]]:
    names = [key.rpartition("/")[2] for key in keys if isinstance(key, str)]
    numbers = [key for key in keys if isinstance(key, int)]
    found: dict[str | int, list[Operation]] = {}
    wanted = Q(operation_id__in=names) | Q(pk__in=numbers)
    for operation in Operation.objects.select_related("backend").filter(wanted):
        for key in (operation.pk, operation.operation_id, str(operation)):
            found.setdefault(key, []).append(operation)
    return found


def _fault(key: str | int, found: list[Operation]) -> str:
    words = _("Several backends have this operation, say which: %(name)s.") if found else _("No operation: %(name)s.")
    return words % {"name": str(key)[:150]}


class ServerSerializer(StrictModel):
    """An MCP server."""

    fixed = frozenset({"name"})
    operations = OperationsField(required=False, help_text="what it offers, as <backend>/<operation id>")
    url = serializers.SerializerMethodField(help_text="what people paste into their client")
    scopes = serializers.SerializerMethodField(help_text="what its operations require")

    class Meta:
        model = McpServer
        fields = ("name", "title", "instructions", "operations", "enabled", "url", "scopes")

    def get_url(self, server: McpServer) -> str:
        """Its identifier too, for the `resource` of a token."""
        return f"{settings.PUBLIC_BASE_URL}{server.path}"

    def get_scopes(self, server: McpServer) -> list[str]:
        """Sorted by name."""
        return sorted({scope for operation in server.operations.all() for scope in operation.named_scopes})


class ServerView(Writable):
    """A server by its name; deleting one leaves its operations."""

    resource = "servers"
    model = McpServer
    serializer_class = ServerSerializer
    lookup_field = "name"
    key_converter = "str"
    order = ("name",)
    access_fields = frozenset({"enabled"})

    def get_queryset(self) -> QuerySet[McpServer]:
        """Servers with what they offer."""
        return McpServer.objects.prefetch_related("operations__backend")

    def make(self, values: dict[str, Any]) -> McpServer:
        """A new one; clients may connect from now on."""
        fields = set(values)
        operations = values.pop("operations", [])
        server = McpServer(**values)
        save_server(server=server, actor=self.actor, operations=operations, fields=fields, note=self.reason)
        return server

    def change(self, row: McpServer, values: dict[str, Any], reason: str) -> None:
        """What it offers, and in which words."""
        fields = set(values)
        operations = values.pop("operations", None)
        for name, value in values.items():
            setattr(row, name, value)
        save_server(server=row, actor=self.actor, operations=operations, fields=fields, note=reason)

    def remove(self, row: McpServer, reason: str) -> None:
        """Its address answers nothing from now on."""
        remove_server(server=row, actor=self.actor, note=reason)
