"""Create a client from a preset."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth_provider.clients.create import Created, create_client
from oauth_provider.clients.forms import NEEDS_DEFAULT_RESOURCE
from oauth_provider.clients.models import Preset
from oauth_provider.clients.setup_sheet import awaits_callback, setup_sheet, steps
from oauth_provider.resources.models import Resource


class Command(BaseCommand):
    """Prints the setup sheet; the secret is in it, and nowhere else ever after."""

    help = "Create a client and print what must be copied to the other side. The secret is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The client's values."""
        parser.add_argument("--preset", choices=[str(value) for value in Preset.values], required=True)
        parser.add_argument("--name", required=True, help="what users read on the consent page")
        parser.add_argument("--scopes", required=True, help="what it may ask for, separated by spaces or commas")
        parser.add_argument("--redirect-uri", action="append", default=[], dest="redirect_uris")
        parser.add_argument("--gpt-id", default="", help="the GPT's id (g-…), its URL or its callback")
        parser.add_argument(
            "--resource",
            default="",
            help="path of the API its tokens are for, such as /api/v1/gpt; default: the only one",
        )
        parser.add_argument("--json", action="store_true", help="print the values as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the verb."""
        try:
            created = create_client(
                preset=options["preset"],
                name=options["name"],
                scopes=tuple(options["scopes"].replace(",", " ").split()),
                actor=None,
                redirect_uris=tuple(options["redirect_uris"]),
                gpt=options["gpt_id"],
                default_resource=_resource(options["resource"], preset=options["preset"]),
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        if options["json"]:
            self.stdout.write(json.dumps(_facts(created)))
            return
        for line in setup_sheet(created.client, secret=created.secret):
            self.stdout.write(f"{line.label}: {line.value}")
        for number, step in enumerate(steps(created.client), start=1):
            self.stdout.write(f"{number}. {step}")


def _resource(named: str, *, preset: str) -> str:
    paths = sorted(Resource.objects.values_list("path", flat=True))
    if named in paths or (not named and preset not in NEEDS_DEFAULT_RESOURCE):
        return named
    if not named and len(paths) == 1:
        return paths[0]
    choices = ", ".join(paths) if paths else "there is none yet, add a backend first"
    raise CommandError(f"--resource: which API are its tokens for? {choices}")


def _facts(created: Created) -> dict[str, Any]:
    client = created.client
    return {
        "name": client.name,
        "client_id": client.client_id,
        "client_secret": created.secret or None,
        "redirect_uris": client.redirect_uris.split(),
        "authorization_url": f"{settings.PUBLIC_BASE_URL}/oauth/authorize" if client.preset != Preset.SERVICE else None,
        "token_url": f"{settings.PUBLIC_BASE_URL}/oauth/token",
        "scopes": client.allowed_scopes.split(),
        "awaits_callback": awaits_callback(client),
    }
