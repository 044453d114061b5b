"""Backends and operations as the management API writes them."""

from typing import Any

from django.core.exceptions import ValidationError as ModelFault
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from oauth_provider.staff_api.fields import Strict, StrictModel
from proxy.catalogue.credentials import KINDS, MAX_SECRET, Credential, make
from proxy.catalogue.mcp_backends.api import McpBackendSerializer
from proxy.catalogue.mcp_backends.features import NAME_MAX, OPENABLE, with_defaults
from proxy.catalogue.models import METHODS, AuthMode, Backend, BackendKind, Operation
from proxy.catalogue.rpc_methods import HTTP_METHODS, METHOD_MAX
from proxy.catalogue.schemas import HINTS, PARAMETERS_MAX
from proxy.catalogue.tls import MAX_PEM
from proxy.catalogue.tool_words import warnings_of
from proxy.catalogue.ui_resources.models import UiResource

ANY = "*"
MAX_DESCRIPTION = 10_000


def _credential_text(help_text: str = "") -> Any:  # noqa: ANN401 - a field
    return serializers.CharField(max_length=MAX_SECRET, required=False, allow_blank=True, help_text=help_text)


def _pem(help_text: str, *, write_only: bool = False) -> Any:  # noqa: ANN401 - a field
    return serializers.CharField(
        max_length=MAX_PEM, required=False, allow_blank=True, help_text=help_text, write_only=write_only
    )


class CredentialSerializer(Strict):
    """What the gateway shows a backend to be let in; kept sealed, never shown again."""

    type = serializers.ChoiceField(choices=list(KINDS))
    name = _credential_text("of the header or the parameter, for types header and query")
    value = _credential_text("of the header or the parameter")
    username = _credential_text("for type basic")
    password = _credential_text("for type basic")
    token = _credential_text("for type bearer")
    token_url = _credential_text("for type client_credentials, as the following ones")
    client_id = _credential_text()
    client_secret = _credential_text()
    scope = _credential_text("separated by blanks")
    audience = _credential_text("if that server wants it")
    resource = _credential_text("if that server wants it (RFC 8707)")
    token_endpoint_auth_method = _credential_text("client_secret_basic, unless given, or client_secret_post")
    allow_private = serializers.BooleanField(required=False, help_text="the token URL may be http, loopback or private")

    def validate(self, attrs: dict[str, Any]) -> Credential:
        """The credential.

        Raises:
            ValidationError: by field, when one is missing, one too many, or cannot be sent.
        """
        try:
            return make(attrs["type"], {name: value for name, value in attrs.items() if name != "type"})
        except ModelFault as fault:
            raise serializers.ValidationError(fault.message_dict) from fault


class TlsSerializer(Strict):
    """Whom the gateway trusts at a backend, and what it shows there; what is left out stays as it is."""

    ca = _pem("of those it trusts, in PEM; empty: the public authorities")
    client_certificate = _pem("in PEM, with what leads from it to its authority")
    client_key = _pem("in PEM, without a passphrase; kept sealed, never shown again", write_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:  # noqa: ANN401 - what a backend has, or what was sent
        """What may be shown; of what was sent also that there is a key, so that it counts as a change."""
        shown = super().to_representation(instance)
        return shown | ({"client_key": True} if "client_key" in instance else {})


class BackendSerializer(StrictModel):
    """A service behind the gateway."""

    fixed = frozenset({"name", "prefix", "kind"})
    kind = serializers.ChoiceField(choices=BackendKind.choices, required=False)
    prefix = serializers.CharField(
        max_length=200, required=False, help_text="/api/v1/<name>, unless given; /mcp/<name> for mcp"
    )
    identity_headers = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=20)
    tls = TlsSerializer(required=False, allow_null=True)
    credential = CredentialSerializer(write_only=True, required=False, allow_null=True)
    mcp = McpBackendSerializer(read_only=True, help_text="of kind mcp: what it said of itself; null: of another kind")

    class Meta:
        model = Backend
        fields = (
            "name",
            "kind",
            "prefix",
            "upstream_url",
            "auth_mode",
            "allow_private",
            "timeout_ms",
            "connect_timeout_ms",
            "max_request_bytes",
            "max_response_bytes",
            "max_concurrency",
            "identity_headers",
            "identity_query",
            "tls",
            "credential",
            "mcp",
            "enabled",
        )

    def to_representation(self, instance: Backend) -> dict[str, Any]:
        """Null for what only an MCP server has."""
        return {"mcp": None} | super().to_representation(instance)


_METHOD = {"type": "string", "enum": [*METHODS, ANY]}


@extend_schema_field({"oneOf": [_METHOD, {"type": "array", "items": {"type": "string", "enum": list(METHODS)}}]})
class MethodField(serializers.Field[Any, Any, Any, Any]):
    """One method, a list of them, or `*` for all; shown the shortest way."""

    def to_internal_value(self, data: Any) -> list[str]:  # noqa: ANN401 - whatever was sent
        """The methods in their usual order.

        Raises:
            ValidationError: it names something else.
        """
        names = list(METHODS) if data == ANY else [data] if isinstance(data, str) else data
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise serializers.ValidationError(_("A method, a list of methods, or *."))
        chosen = {name.upper() for name in names}
        if strange := sorted(chosen - set(METHODS)):
            raise serializers.ValidationError(_("Not a method: %(names)s.") % {"names": ", ".join(strange)[:100]})
        return [method for method in METHODS if method in chosen]

    def to_representation(self, value: list[str]) -> Any:  # noqa: ANN401 - a text or a list
        """One as a text, all as `*`."""
        if set(value) == set(METHODS):
            return ANY
        return value[0] if len(value) == 1 else value


class BackendField(serializers.SlugRelatedField[Backend]):
    """A backend by its name, read once for a whole list."""

    def to_internal_value(self, data: Any) -> Backend:  # noqa: ANN401 - whatever was sent
        """The backend.

        Raises:
            ValidationError: there is none of that name.
        """
        known: dict[str, Backend] = self.context.setdefault("backends", {})
        if not isinstance(data, str) or "\x00" in data:
            raise serializers.ValidationError(_("The name of a backend."))
        if data not in known:
            known[data] = super().to_internal_value(data)
        return known[data]


class OpenedField(serializers.CharField):
    """What an operation of an MCP backend opens, where it is of kind `feature`; null elsewhere."""

    def __init__(self, feature: str, **kwargs: Any) -> None:
        super().__init__(source="*", required=False, allow_null=True, max_length=NAME_MAX, **kwargs)
        self.feature = feature

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - as the base class has it
        """For `validate`, which sees all three of them."""
        return {f"opens_{self.feature}": super().to_internal_value(data)}

    def run_validation(self, data: Any = serializers.empty) -> Any:  # noqa: ANN401 - whatever was sent
        """As every text; null names nothing."""
        return {} if data is None else super().run_validation(data)

    def to_representation(self, value: Operation) -> str | None:  # type: ignore[override]  # of the whole row
        """Its name."""
        return value.feature_name if value.feature == self.feature else None


class PageField(serializers.SlugRelatedField[UiResource]):
    """A page for tools by its URI."""

    def to_internal_value(self, data: Any) -> UiResource:  # noqa: ANN401 - whatever was sent
        """The page.

        Raises:
            ValidationError: there is none of that URI.
        """
        if not isinstance(data, str) or "\x00" in data:
            raise serializers.ValidationError(_("The URI of a page."))
        return super().to_internal_value(data)


class OperationSerializer(StrictModel):
    """One thing clients may do at a backend."""

    fixed = frozenset({"backend", *OPENABLE})
    backend = BackendField(slug_field="name", queryset=Backend.objects.all())
    operation_id = serializers.SlugField(max_length=64, required=False)
    method = MethodField(source="methods", required=False, help_text="POST for an rpc_method, which needs none")
    path = serializers.CharField(max_length=500, required=False, help_text="/ for an rpc_method, unless given")
    rpc_method = serializers.CharField(
        max_length=METHOD_MAX, required=False, allow_null=True, help_text="of a backend of kind jsonrpc; null: any body"
    )
    tool = OpenedField("tool", help_text="of a backend of kind mcp: its name there, or * for all")
    prompt = OpenedField("prompt", help_text="the same for a prompt")
    resource = OpenedField("resource", help_text="the same for a resource: its URI, its URI template, or *")
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=50, help_text="all of; an empty list: any valid token"
    )
    any_scopes = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=50, required=False,
        help_text="and any one of these; challenges name the first",
    )  # fmt: skip
    auth_mode = serializers.ChoiceField(
        choices=AuthMode.choices, required=False, allow_null=True, help_text="null: as the backend"
    )
    description = serializers.CharField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)
    tool_name = serializers.CharField(
        max_length=64, required=False, allow_null=True, help_text="null: no tool; left out of a new one: given to it"
    )
    ui_resource = PageField(
        slug_field="uri", queryset=UiResource.objects.all(), required=False, allow_null=True,
        help_text="URI of the page that AI clients show with its result",
    )  # fmt: skip
    parameters = serializers.ListField(
        child=serializers.DictField(), required=False, max_length=PARAMETERS_MAX, help_text="as OpenAPI has them"
    )
    request_schema = serializers.DictField(required=False, allow_null=True, help_text="JSON Schema of the body")
    response_schema = serializers.DictField(required=False, allow_null=True, help_text="JSON Schema of the answer")
    annotations = serializers.DictField(
        child=serializers.BooleanField(), required=False, help_text=f"any of {', '.join(HINTS)}"
    )
    warnings = serializers.SerializerMethodField(help_text="what of its words would not help a model that reads it")

    class Meta:
        model = Operation
        fields = (
            "id",
            "backend",
            "operation_id",
            "method",
            "path",
            "rpc_method",
            *OPENABLE,
            "scopes",
            "any_scopes",
            "auth_mode",
            "title",
            "description",
            "tool_name",
            "ui_resource",
            "parameters",
            "request_schema",
            "request_type",
            "response_schema",
            "annotations",
            "consequential",
            "idempotent",
            "max_request_bytes",
            "cost",
            "enabled",
            "warnings",
        )
        # One id per backend is checked when it is stored; the framework's own check would ask for both fields
        validators: list[Any] = []

    def get_warnings(self, operation: Operation) -> list[str]:
        """In words; none of them keeps anything from being stored."""
        return warnings_of(operation)

    def validate_auth_mode(self, value: str | None) -> str:
        """As the model keeps it."""
        return value or ""

    def validate_rpc_method(self, value: str | None) -> str:
        """As the model keeps it."""
        return value or ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With what an operation named in the body has in any case.

        Raises:
            ValidationError: another one says no method or no path.
        """
        if self.instance is not None:
            return attrs
        opened = {each: attrs.pop(f"opens_{each}") for each in OPENABLE if f"opens_{each}" in attrs}
        if len(opened) > 1 or (not opened and attrs["backend"].kind == BackendKind.MCP):
            words = _("Exactly one of tool, prompt and resource.")
            raise serializers.ValidationError({next(iter(opened), "tool"): [words]})
        if opened:
            [(feature, name)] = opened.items()
            return with_defaults({"feature": feature, "feature_name": name} | attrs)
        if attrs.get("rpc_method"):
            return {"methods": list(HTTP_METHODS), "path": "/"} | attrs
        missing = {name: [_("This field is required.")] for name in ("method", "path") if _source(name) not in attrs}
        if missing:
            raise serializers.ValidationError(missing)
        return attrs

    def validate_scopes(self, value: list[str]) -> list[str]:
        """Each once."""
        return list(dict.fromkeys(value))

    def validate_any_scopes(self, value: list[str]) -> list[str]:
        """Each once."""
        return list(dict.fromkeys(value))

    def changes(self) -> dict[str, Any]:
        """As every resource, but for what is null when it is shown and empty when it is kept."""
        found = super().changes()
        empty = [name for name in ("auth_mode", "rpc_method") if found.get(name) == getattr(self.instance, name) == ""]
        return {name: value for name, value in found.items() if name not in empty}

    def to_representation(self, instance: Operation) -> dict[str, Any]:
        """Null where it is as the backend."""
        shown = super().to_representation(instance)
        return shown | {"auth_mode": shown["auth_mode"] or None, "rpc_method": shown["rpc_method"] or None}


def _source(name: str) -> str:
    return "methods" if name == "method" else name
