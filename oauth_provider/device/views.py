"""The device authorization endpoint over HTTP (RFC 8628 section 3.1)."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client
from oauth_provider.device.start import DeviceRefusedError, start_device
from oauth_provider.tokens.answers import Answer, error_answer
from oauth_provider.tokens.endpoint import for_client, limited


# Clients prove themselves with their own credential; no cookie means anything here
@method_decorator(csrf_exempt, name="dispatch")
class DeviceAuthorizationView(View):
    """The client authenticates as at the token endpoint."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Both codes, or why not."""
        handle = partial(for_client, act=_start, rate="device", kind=Kind.OAUTH_DEVICE_REFUSED)
        return limited(request, rate="device", handle=handle).response()


def _start(parameters: dict[str, str], client: Client) -> Answer:
    try:
        return Answer(200, start_device(client=client, parameters=parameters))
    except DeviceRefusedError as refusal:
        record(
            kind=Kind.OAUTH_DEVICE_REFUSED,
            client_id=client.client_id,
            decision=Decision.DENY,
            reason=refusal.reason,
            status=400,
        )
        return error_answer(refusal.error, refusal.description)
