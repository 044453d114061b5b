"""Fill the stock project: `python -m tests.stock.seed`, with what to create as JSON on standard input."""

import json
import sys
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command


def main() -> None:
    """Migrate; create the people and the clients."""
    django.setup()
    call_command("migrate", verbosity=0)
    wanted: dict[str, Any] = json.load(sys.stdin)
    for person in wanted["people"]:
        user = apps.get_model("auth", "User")(username=person["username"])
        user.set_password(person["password"])
        user.save()
    for client in wanted["clients"]:
        apps.get_model("oauth2_provider", "Application").objects.create(**client)


if __name__ == "__main__":
    main()
