"""Put a new signing key in the place of the old one."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from oauth_provider.keys.signing import rotate_signing_key


class Command(BaseCommand):
    """Safe while the gateway serves: the new key is published before it signs."""

    help = "Make a new signing key. It signs once verifiers have had time to fetch it; the old one verifies for a day."

    def add_arguments(self, parser: CommandParser) -> None:
        """How, and why."""
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="the old key is in wrong hands: the new one signs at once, and nothing the old one signed verifies",
        )
        parser.add_argument("--reason", default="", help="kept in the audit log")
        parser.add_argument("--json", action="store_true", help="print JSON, and nothing else")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rotate, and say from when the new key signs."""
        key = rotate_signing_key(compromised=options["compromised"], reason=options["reason"])
        if options["json"]:
            self.stdout.write(json.dumps({"kid": key.kid, "signs_from": key.signs_from.isoformat()}))
            return
        self.stdout.write(f"New key {key.kid}: published now, signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC.")
        if options["compromised"]:
            self.stdout.write("Backends that keep the key set for a while refuse calls until they fetch it again.")
