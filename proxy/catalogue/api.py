"""`backends/` and `operations/`: what may be called, where it leads, and who may call it."""

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_view

from oauth_provider.staff_api.schema import one_or_many
from oauth_provider.staff_api.views import RowFault, Writable
from proxy.catalogue.add_many import RowRefused, add_operations
from proxy.catalogue.credentials import NO_CREDENTIAL, check_destination
from proxy.catalogue.hidden import check_not_hidden
from proxy.catalogue.mcp_backends.features import PREFIX
from proxy.catalogue.models import Backend, BackendKind, Operation
from proxy.catalogue.remove import remove_backend, remove_operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.catalogue.serializers import BackendSerializer, OperationSerializer

# What is kept otherwise than it is given
SEALED = frozenset({"credential", "tls"})
NO_TLS = {"ca": "", "client_certificate": "", "client_key": ""}


class BackendView(Writable):
    """A backend by its name; deleting one takes its operations with it."""

    resource = "backends"
    model = Backend
    serializer_class = BackendSerializer
    lookup_field = "name"
    key_converter = "str"
    order = ("name",)
    renamed = {f"tls_{name}": f"tls.{name}" for name in ("ca", "client_certificate", "client_key")}
    access_fields = frozenset({"auth_mode", "enabled"})

    def get_queryset(self) -> QuerySet[Backend]:
        """Backends with what those of kind mcp said."""
        return Backend.objects.select_related("mcp")

    def make(self, values: dict[str, Any]) -> Backend:
        """A new one, under its own name unless a prefix is given; an MCP server is asked what it offers."""
        fields = {name for name, value in values.items() if name not in SEALED or value is not None}
        sealed = {name: values.pop(name) for name in SEALED & values.keys()}
        above = PREFIX if values.get("kind") == BackendKind.MCP else "/api/v1/"
        backend = Backend(**({"prefix": above + values["name"]} | values))
        self._save(backend, sealed, fields=fields, note=self.reason)
        return backend

    def change(self, row: Backend, values: dict[str, Any], reason: str) -> None:
        """Its address, its limits, its credential."""
        fields = set(values)
        sealed = {name: values.pop(name) for name in SEALED & values.keys()}
        if "credential" not in sealed:
            check_destination(
                sealed=row.credential_sealed, before=row.upstream_url, now=values.get("upstream_url", row.upstream_url)
            )
        for name, value in values.items():
            setattr(row, name, value)
        self._save(row, sealed, fields=fields, note=reason)

    def _save(self, backend: Backend, sealed: dict[str, Any], *, fields: set[str], note: str) -> None:
        credential = (sealed["credential"] or NO_CREDENTIAL) if "credential" in sealed else None
        tls = (sealed["tls"] or NO_TLS) if "tls" in sealed else {}
        backend.tls_ca = tls.get("ca", backend.tls_ca)
        backend.tls_client_certificate = tls.get("client_certificate", backend.tls_client_certificate)
        # Without its certificate a key is good for nothing
        client_key = tls.get("client_key", None if backend.tls_client_certificate else "")
        save_backend(
            backend=backend, actor=self.actor, credential=credential, client_key=client_key, fields=fields, note=note
        )

    def remove(self, row: Backend, reason: str) -> None:
        """With all that hangs on it."""
        remove_backend(backend=row, actor=self.actor, note=reason)


@extend_schema_view(create=one_or_many(OperationSerializer))
class OperationView(Writable):
    """What is not listed here cannot be called."""

    resource = "operations"
    model = Operation
    serializer_class = OperationSerializer
    filters = {"backend": lambda name: Q(backend__name=name)}
    renamed = {"methods": "method", "__all__": "operation_id", "feature": "tool", "feature_name": "tool"}
    takes_lists = True
    access_fields = frozenset({"method", "path", "rpc_method", "scopes", "any_scopes", "auth_mode", "enabled"})

    def get_queryset(self) -> QuerySet[Operation]:
        """Operations with the names of their backends."""
        return Operation.objects.select_related("backend", "ui_resource")

    def make_all(self, rows: list[dict[str, Any]]) -> list[Operation]:
        """New ones, each with an id made of its method and path unless one is given.

        Raises:
            RowFault: one of them cannot run.
        """
        operations = [Operation(**values) for values in rows]
        try:
            add_operations(operations=operations, actor=self.actor, note=self.reason)
        except RowRefused as refusal:
            raise RowFault(refusal.index, refusal.fault) from refusal
        return operations

    def change(self, row: Operation, values: dict[str, Any], reason: str) -> None:
        """What it takes and what it answers."""
        for name, value in values.items():
            setattr(row, "methods" if name == "method" else name, value)
        check_not_hidden(row)
        save_operation(operation=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: Operation, reason: str) -> None:
        """Its path answers 404 from now on."""
        remove_operation(operation=row, actor=self.actor, note=reason)
