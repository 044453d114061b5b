"""`/webhooks/identity`: the provider tells what became of a person."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from oauth_provider.webhooks.deliveries import is_first
from oauth_provider.webhooks.endpoint import WebhookView
from oauth_provider.webhooks.identity.act import act_on
from oauth_provider.webhooks.identity.message import read_message
from oauth_provider.webhooks.identity.signature import check_signature


class IdentityWebhookView(WebhookView):
    """Signed by IDENTITY_WEBHOOK_SECRETS; everything a message causes is one transaction with having seen it."""

    source = "identity"

    def is_configured(self) -> bool:
        """With at least one secret."""
        return bool(settings.IDENTITY_WEBHOOK_SECRETS)

    def take(self, request: HttpRequest, body: bytes) -> None:
        """See `WebhookView`."""
        name = check_signature(request.headers, body, secrets=settings.IDENTITY_WEBHOOK_SECRETS)
        message = read_message(body)
        with transaction.atomic():
            if is_first(source=self.source, name=name):
                act_on(message)
