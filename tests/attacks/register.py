"""Register the clients of the table at a started gateway: `python -m tests.attacks.register`, JSON in and out."""

import json
import sys

import django
from django.apps import apps


def main() -> None:
    """Create every client that standard input describes; print the secrets of those that have one, by name."""
    django.setup()
    # Known only once Django is set up
    from oauth_provider.clients.secrets import create_secret  # noqa: PLC0415

    secrets = {}
    for wanted in json.load(sys.stdin):
        client = apps.get_model("oauth_provider", "Client").objects.create(**wanted)
        if client.is_confidential:
            secrets[client.name] = create_secret(client=client, actor=None)
    print(json.dumps(secrets))


if __name__ == "__main__":
    main()
