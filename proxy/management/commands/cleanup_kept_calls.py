"""Delete answers that were kept for calls with an Idempotency-Key and are past their day."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from proxy.idempotency.keep import clean_kept_calls


class Command(BaseCommand):
    """Safe while the gateway serves, and safe to interrupt: every batch is complete in itself."""

    help = "Delete in small batches the kept answers that nobody can ask for any more."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one option."""
        parser.add_argument("--json", action="store_true", help="print the number as JSON, and nothing else")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Delete, and record that it was done."""
        deleted = sum(clean_kept_calls(at=timezone.now()))
        record(kind=Kind.SYSTEM_CALLS_CLEANED, note=f"kept calls {deleted}")
        self.stdout.write(json.dumps({"kept_calls": deleted}) if options["json"] else f"Deleted: kept calls {deleted}.")
