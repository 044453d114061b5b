"""`backends/<name>/definitions/`: what an MCP backend offers, and what of it staff approve."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oauth_provider.staff_api.fields import Strict, StrictModel
from oauth_provider.staff_api.problems import Conflict
from oauth_provider.staff_api.reasons import required_reason
from oauth_provider.staff_api.views import Readable
from proxy.catalogue.mcp_backends.approve import approve, refuse
from proxy.catalogue.mcp_backends.models import Definition, McpBackend, State
from proxy.catalogue.mcp_backends.opened import Openings
from proxy.catalogue.mcp_backends.wanted import look_at
from proxy.catalogue.mcp_backends.words import fault_words
from proxy.catalogue.models import Backend, BackendKind

DEFINITIONS = "backends/<str:name>/definitions/"


class McpBackendSerializer(StrictModel):
    """What a backend said of itself when it was last asked."""

    class Meta:
        model = McpBackend
        fields = ("protocol_version", "capabilities", "server_name", "server_version", "tried_at", "succeeded_at",
                  "unnamed", "fault")  # fmt: skip
        read_only_fields = fields


class DefinitionSerializer(StrictModel):
    """One tool, prompt, resource or resource template."""

    state = serializers.ChoiceField(choices=State.choices)
    operation = serializers.SerializerMethodField(help_text="what opens it; null: nobody may use it")
    exposed_name = serializers.SerializerMethodField(help_text="at /mcp; null: as it is, or not there")
    fault = serializers.SerializerMethodField(help_text="why it cannot be served, in words; null when it can")
    digest = serializers.CharField(source="seen_digest", help_text="of what was seen")
    approved = serializers.JSONField(source="approved_value", allow_null=True)
    seen = serializers.JSONField(source="seen_value", allow_null=True)

    class Meta:
        model = Definition
        fields = ("id", "feature", "name", "exposed_name", "state", "operation", "fault", "digest", "approved",
                  "seen", "first_seen_at", "changed_at", "approved_at")  # fmt: skip
        read_only_fields = fields

    def get_operation(self, definition: Definition) -> str | None:
        """Its operation id."""
        openings: dict[int, Openings] = self.context.setdefault("openings", {})
        if definition.backend_id not in openings:
            openings[definition.backend_id] = Openings(definition.backend)
        found = openings[definition.backend_id].of(definition)
        return found.operation_id if found else None

    def get_exposed_name(self, definition: Definition) -> str | None:
        """Of tools and prompts."""
        return definition.exposed_name or None

    def get_fault(self, definition: Definition) -> str | None:
        """In the language of the request."""
        return fault_words(definition) or None


class VerdictSerializer(Strict):
    """What is approved or refused."""

    digest = serializers.CharField(
        max_length=64, required=False, help_text="of what was looked at; when it is another one by now, nothing happens"
    )


class DefinitionView(Readable):
    """Found by asking the backend; a new or changed one waits until staff approve it."""

    resource = "backends"
    # Those who may see and change a backend judge what it offers
    model = Backend
    serializer_class = DefinitionSerializer
    order = ("feature", "name", "id")
    filters = {"state": Definition.in_state, "feature": lambda feature: Q(feature=feature)}
    deeds = {"approve": "change", "refuse": "change", "look": "change"}

    def get_queryset(self) -> QuerySet[Definition]:
        """Those of the backend in the address.

        Raises:
            Http404: there is no such backend, or it is no MCP server.
        """
        return Definition.objects.filter(backend=self._backend()).select_related("backend")

    @extend_schema(operation_id="backends_definitions_list")
    def list(self, request: Request, **kwargs: Any) -> Response:
        """A page."""
        del kwargs
        return super().list(request)

    @extend_schema(operation_id="backends_definitions_retrieve")
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """One."""
        return super().retrieve(request, **kwargs)

    @extend_schema(request=VerdictSerializer)
    def approve(self, request: Request, **kwargs: Any) -> Response:
        """Serve it as the backend says it now; X-Reason says why."""
        del kwargs
        row, note, digest = self._judged(request)
        approve(definition=row, digest=digest, actor=self.actor, note=note)
        return self.shown(row)

    @extend_schema(request=VerdictSerializer)
    def refuse(self, request: Request, **kwargs: Any) -> Response:
        """Do not serve it as the backend says it now; X-Reason says why."""
        del kwargs
        row, note, digest = self._judged(request)
        refuse(definition=row, digest=digest, actor=self.actor, note=note)
        return self.shown(row)

    @extend_schema(request=None, responses=McpBackendSerializer)
    def look(self, request: Request, **kwargs: Any) -> Response:
        """Ask the backend now, within five seconds."""
        del request, kwargs
        backend = self._backend()
        if not backend.enabled:
            raise Conflict(_("A backend that is switched off is not asked."))
        look_at(backend)
        return Response(McpBackendSerializer(McpBackend.objects.get(backend=backend)).data)

    def found(self, *, locked: bool = False) -> Any:  # noqa: ANN401 - as the base class has it
        """The definition of the address.

        Raises:
            Http404: there is none.
        """
        del locked
        try:
            return self.get_queryset().get(pk=self.kwargs["id"])
        except (Definition.DoesNotExist, OverflowError) as fault:
            raise Http404 from fault

    def _backend(self) -> Backend:
        try:
            return Backend.objects.get(name=self.kwargs["name"], kind=BackendKind.MCP)
        except Backend.DoesNotExist as fault:
            raise Http404 from fault

    def _judged(self, request: Request) -> tuple[Definition, str, str]:
        verdict = VerdictSerializer(data=request.data)
        verdict.is_valid(raise_exception=True)
        return self.found(), required_reason(request), verdict.validated_data.get("digest", "")
