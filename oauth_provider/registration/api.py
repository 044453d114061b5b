"""`clients/<id>/approve/` and `decline/`: what staff decide about a program that came by itself."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from oauth_provider.clients.api import ClientView
from oauth_provider.clients.models import Client
from oauth_provider.clients.serializers import ClientSerializer
from oauth_provider.registration.programs import approve_program, decline_program
from oauth_provider.staff_api.problems import Conflict
from oauth_provider.staff_api.reasons import required_reason


class ApprovalView(ClientView):
    """The decision is about every registration of the same program, those to come included."""

    deeds = {"approve": "change", "decline": "change"}

    @extend_schema(request=None, responses=ClientSerializer)
    def approve(self, request: Request, **kwargs: Any) -> Response:
        """Let it in."""
        del kwargs
        client = self._newcomer()
        approve_program(client=client, actor=self.actor, reason=required_reason(request))
        return self.shown(client)

    @extend_schema(request=None, responses=ClientSerializer)
    def decline(self, request: Request, **kwargs: Any) -> Response:
        """Keep it out, and end what it was given."""
        del kwargs
        client = self._newcomer()
        decline_program(client=client, actor=self.actor, reason=required_reason(request))
        return self.shown(client)

    def _newcomer(self) -> Client:
        client: Client = self.found()
        if not client.is_self_made:
            raise Conflict(_("Staff made this client: suspend it instead."))
        return client
