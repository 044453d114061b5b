"""`connections/`: what people gave to whom, read and revoked; and the end of everything a client was given."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oauth_provider.clients.api import ClientView
from oauth_provider.clients.serializers import ClientSerializer
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from oauth_provider.connections.revoke_all import revoke_client
from oauth_provider.staff_api.fields import ScopeNames, StrictModel
from oauth_provider.staff_api.reasons import required_reason
from oauth_provider.staff_api.views import Readable


class ConnectionSerializer(StrictModel):
    """One person's standing permission for one client on one resource."""

    user = serializers.SerializerMethodField(help_text="the external id")
    client = serializers.CharField(source="client.client_id")
    resource = serializers.CharField(source="resource.identifier")
    scopes = ScopeNames()
    active = serializers.BooleanField(source="is_live")

    class Meta:
        model = Connection
        fields = (
            "id",
            "user",
            "client",
            "resource",
            "scopes",
            "active",
            "created_at",
            "expires_at",
            "revoked_at",
            "revoked_by",
            "revocation_reason",
        )
        read_only_fields = fields

    def get_user(self, connection: Connection) -> str:
        """How backends know the person."""
        identity = getattr(connection.user, "identity", None)
        return str(identity.external_id) if identity else f"local:{connection.user_id}"


def _active(text: str) -> Q:
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    if text not in {"true", "false"}:
        raise ValidationError(_("true or false."))
    return live if text == "true" else ~live


def _resource(text: str) -> Q:
    return Q(resource__path=text.removeprefix(settings.PUBLIC_BASE_URL))


class ConnectionView(Readable):
    """Made by people on the consent page; staff read and end them."""

    resource = "connections"
    model = Connection
    serializer_class = ConnectionSerializer
    key_converter = "uuid"
    order = ("created_at", "id")
    counted = False
    deeds = {"revoke": "change"}
    filters = {
        "user": lambda external_id: Q(user__identity__external_id=external_id),
        "client": lambda client_id: Q(client__client_id=client_id),
        "resource": _resource,
        "active": _active,
    }

    def get_queryset(self) -> QuerySet[Connection]:
        """Connections with whom they join."""
        return Connection.objects.select_related("user__identity", "client", "resource")

    @extend_schema(request=None, responses=ConnectionSerializer)
    def revoke(self, request: Request, id: uuid.UUID) -> Response:  # noqa: A002 - the key's name
        """End it: every token that hangs on it is refused at once."""
        del id
        connection = self.found()
        revoke_connection(connection=connection, actor=self.actor, by="staff", reason=required_reason(request))
        return self.shown(connection)


class RevokeClientView(ClientView):
    """Stands here because connections know clients, and not the other way round."""

    deeds = {"revoke": "change"}

    @extend_schema(request=None, responses=ClientSerializer)
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End everything people gave this client, and its own tokens; it may be connected anew."""
        del kwargs
        client = self.found()
        revoke_client(client=client, actor=self.actor, reason=required_reason(request))
        return self.shown(client)
