"""Create or update the client that the environment describes."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from gateway_project.bootstrap import follow_environment


class Command(BaseCommand):
    """The same happens whenever the server starts; this is for those who want it done before."""

    help = "Create or update what the environment describes: the client of OAUTH_CLIENT_ID with all it refers to."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one option."""
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the verb; never print the secret, its owner set it."""
        follow_environment()
        client_id = settings.OAUTH_CLIENT_ID
        if options["json"]:
            self.stdout.write(json.dumps({"client_id": client_id}))
        elif client_id:
            self.stdout.write(f"The client {client_id} is in place.")
        else:
            self.stdout.write("OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are not set: there is no client to create.")
