"""Register the clients of the table at a started gateway: `python -m tests.attacks.register`, JSON in and out."""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import json
import sys

import django

django.setup()

from oauth_provider.clients.models import Client
from oauth_provider.clients.secrets import create_secret
from oauth_provider.resources.models import Resource


def main() -> None:
    """Create every client that standard input describes; print the secrets of those that have one, by name."""
    secrets = {}
    for wanted in json.load(sys.stdin):
        serves = wanted.pop("serves")
        client = Client.objects.create(**wanted)
        client.introspects.set(Resource.objects.filter(path__in=serves))
        if client.is_confidential:
            secrets[client.name] = create_secret(client=client, actor=None)
    print(json.dumps(secrets))


if __name__ == "__main__":
    main()
