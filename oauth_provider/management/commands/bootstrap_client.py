"""Create or update the client that the environment describes."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth_provider.clients.bootstrap import bootstrap_client


class Command(BaseCommand):
    """OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_REDIRECT_URIS; nothing to do when they are unset."""

    help = "Create or update the client of OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET and OAUTH_REDIRECT_URIS."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one option."""
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the verb; never print the secret, its owner set it."""
        if not settings.OAUTH_CLIENT_ID or not settings.OAUTH_CLIENT_SECRET:
            self._say(
                options, {"client_id": None}, "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are not set: nothing to do."
            )
            return
        try:
            client = bootstrap_client(
                client_id=settings.OAUTH_CLIENT_ID,
                secret=settings.OAUTH_CLIENT_SECRET,
                redirect_uris=list(settings.OAUTH_REDIRECT_URIS),
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self._say(options, {"client_id": client.client_id}, f"The client {client.client_id} is in place.")

    def _say(self, options: dict[str, Any], data: dict[str, Any], words: str) -> None:
        self.stdout.write(json.dumps(data) if options["json"] else words)
