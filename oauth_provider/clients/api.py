"""`clients/`: who may ask for tokens, its secrets, and the switch that stops it."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from oauth_provider.clients.change import change_client, remove_client
from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client, ClientSecret, Preset, Trust
from oauth_provider.clients.review_trust import review_trust
from oauth_provider.clients.secrets import SecretRefusedError, create_secret, retire_secret
from oauth_provider.clients.serializers import (
    ClientSerializer,
    NewClientSerializer,
    NewSecretSerializer,
    SecretSerializer,
)
from oauth_provider.clients.suspend import resume_client, suspend_client
from oauth_provider.staff_api.problems import Conflict
from oauth_provider.staff_api.reasons import required_reason
from oauth_provider.staff_api.views import Readable, Writable

# Fields of the verb that the preset decides unless they are given
DIFFERING = (
    "client_type", "authorization_grant_type", "trust", "access_token_lifetime_s", "refresh_token_lifetime_s",
)  # fmt: skip
COLUMNS = {"scopes": "allowed_scopes"}


class ClientView(Writable):
    """A client by its client id."""

    resource = "clients"
    model = Client
    serializer_class = ClientSerializer
    lookup_field = "client_id"
    key_converter = "str"
    renamed = {"allowed_scopes": "scopes", "gpt": "redirect_uris", "__all__": "redirect_uris"}
    access_fields = frozenset({"trust"})
    deeds = {"suspend": "change", "resume": "change"}

    @extend_schema(request=ClientSerializer, responses={201: NewClientSerializer})
    def create(self, request: Request) -> Response:
        """Make one, and show its secret this once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        created = create_client(
            preset=values.get("preset", Preset.OTHER),
            name=values["name"],
            scopes=tuple(values.get("allowed_scopes", "").split()),
            redirect_uris=tuple(values.get("redirect_uris", "").split()),
            default_resource=values.get("default_resource") or "",
            actor=self.actor,
            note=self.reason,
            **{name: values[name] for name in DIFFERING if name in values},
        )
        secret = {"client_secret": created.secret} if created.secret else {}
        return Response(self.get_serializer(created.client).data | secret, status=201)

    def change(self, row: Client, values: dict[str, Any], reason: str) -> None:
        """What staff decide about it."""
        columns = {COLUMNS.get(name, name): "" if value is None else value for name, value in values.items()}
        if trust := columns.pop("trust", ""):
            reviewer = cast("User", self.request.user)
            review_trust(client=row, trust=Trust(trust), reviewer=reviewer, reason=reason)
        if columns:
            change_client(client=row, values=columns, actor=self.actor, note=reason)

    def remove(self, row: Client, reason: str) -> None:
        """Only one that nobody is connected to."""
        remove_client(client=row, actor=self.actor, note=reason)

    @extend_schema(request=None, responses=ClientSerializer)
    def suspend(self, request: Request, **kwargs: Any) -> Response:
        """Refuse it everywhere at once; what people gave stays."""
        del kwargs
        client = self.found()
        suspend_client(client=client, actor=self.actor, reason=required_reason(request))
        return self.shown(client)

    @extend_schema(request=None, responses=ClientSerializer)
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Let it go on where it was stopped."""
        del kwargs
        client = self.found()
        resume_client(client=client, actor=self.actor, reason=required_reason(request))
        return self.shown(client)


class SecretView(Readable):
    """At most two live secrets, so that one can be replaced without a pause."""

    resource = "clients"
    model = Client
    serializer_class = SecretSerializer
    lookup_field = "client_id"
    key_converter = "str"
    deeds = {"add_secret": "change", "retire_secret": "change"}
    pagination_class = None

    @extend_schema(responses=SecretSerializer(many=True))
    def secrets(self, request: Request, client_id: str) -> Response:
        """The live ones; never what they are."""
        del request
        rows = ClientSecret.objects.filter(client__client_id=client_id, retired_at=None)
        if not rows:
            self.found()
        return Response(self.get_serializer(rows, many=True).data)

    @extend_schema(request=None, responses={201: NewSecretSerializer})
    def add_secret(self, request: Request, client_id: str) -> Response:
        """A second one, shown this once.

        Raises:
            Conflict: there are two, or the client is public.
        """
        del client_id
        client = self.found()
        try:
            with transaction.atomic():
                secret = create_secret(client=client, actor=self.actor, note=required_reason(request))
                row = ClientSecret.objects.filter(client=client).latest("pk")
        except SecretRefusedError as refusal:
            raise Conflict(str(refusal)) from refusal
        return Response(self.get_serializer(row).data | {"client_secret": secret}, status=201)

    def retire_secret(self, request: Request, client_id: str, secret_id: int) -> Response:
        """Refuse one from now on.

        Raises:
            Http404: the client has no such live secret.
            Conflict: it is the last one.
        """
        secret = ClientSecret.objects.filter(pk=secret_id, client__client_id=client_id, retired_at=None).first()
        if secret is None:
            raise Http404
        try:
            retire_secret(secret=secret, actor=self.actor, note=required_reason(request))
        except SecretRefusedError as refusal:
            raise Conflict(str(refusal)) from refusal
        return Response(status=204)
