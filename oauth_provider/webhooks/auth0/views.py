"""`/webhooks/auth0`: Auth0's log stream, which tells when a client registered itself there."""

import hmac

from django.http import HttpRequest

from oauth_provider.webhooks.auth0.log import registrations
from oauth_provider.webhooks.auth0.promotions import carry_out, remember
from oauth_provider.webhooks.auth0.tenant import Tenant
from oauth_provider.webhooks.endpoint import WebhookView
from oauth_provider.webhooks.errors import WebhookRefused


class Auth0WebhookView(WebhookView):
    """Proven by the stream's authorization token, with or without `Bearer` before it, as one typed it there."""

    source = "auth0"

    def is_configured(self) -> bool:
        """With a tenant."""
        return Tenant.configured() is not None

    def take(self, request: HttpRequest, body: bytes) -> None:
        """See `WebhookView`."""
        tenant = Tenant.configured()
        if tenant is None or not _is_proven(request.headers.get("authorization", ""), tenant):
            raise WebhookRefused("secret_refused", status=401)
        remember(registrations(body))
        carry_out(tenant)


def _is_proven(given: str, tenant: Tenant) -> bool:
    value = given.removeprefix("Bearer ").encode("utf-8", "replace")
    return hmac.compare_digest(value, tenant.webhook_secret.encode())
