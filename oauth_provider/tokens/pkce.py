"""Which clients must prove possession of their code (RFC 7636)."""

from django.apps import apps


def pkce_required(client_id: str) -> bool:
    """True for every client but confidential GPT Actions; unknown clients included."""
    client = apps.get_model("oauth_provider", "Client").objects.filter(client_id=client_id).first()
    return client is None or client.requires_pkce
