"""The moment a person first allowed a client something: a client that came by itself leaves its quarantine."""

from django.utils import timezone

from oauth_provider.clients.models import Client


def note_first_consent(*, client: Client) -> None:
    """Keep the first moment; later ones change nothing."""
    if client.first_consented_at is not None:
        return
    now = timezone.now()
    Client.objects.filter(pk=client.pk, first_consented_at=None).update(first_consented_at=now)
    client.first_consented_at = now
