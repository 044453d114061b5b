"""Delete what has expired or was revoked and is of no use any more."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.authorize.cleanup import clean_interactions, expired_interactions
from oauth_provider.device.cleanup import clean_device_codes, expired_device_codes
from oauth_provider.identities.sessions import clean_sessions, expired_sessions
from oauth_provider.registration.cleanup import clean_registrations, idle_registrations, unused_registrations
from oauth_provider.tokens.cleanup import Deleted, clean_tokens, count_spent_tokens
from oauth_provider.webhooks.deliveries import clean_deliveries, old_deliveries

KINDS = (
    "access_tokens",
    "refresh_tokens",
    "codes",
    "families",
    "grants",
    "assertions",
    "interactions",
    "device_codes",
    "sessions",
    "deliveries",
)


class Command(BaseCommand):
    """Safe while the gateway serves, and safe to interrupt: every batch is complete in itself."""

    help = "Delete in small batches what expired: tokens, codes, requests, sessions, and registrations nobody uses."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one option."""
        parser.add_argument("--json", action="store_true", help="print the numbers as JSON, and nothing else")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Delete, show how it goes, record that it was done."""
        at = timezone.now()
        done: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        for kind, deleted in self._shown(_clean(at), at=at, quiet=options["json"]):
            done[kind] += deleted
        summary = ", ".join(f"{kind.replace('_', ' ')} {number}" for kind, number in done.items())
        record(kind=Kind.SYSTEM_TOKENS_CLEANED, note=summary)
        self.stdout.write(json.dumps(done) if options["json"] else f"Deleted: {summary}.")

    def _shown(self, steps: Iterator[Deleted], *, at: datetime, quiet: bool) -> Iterator[Deleted]:
        """The same `steps`, with a progress bar on a terminal and a line for every kind otherwise."""
        if quiet:
            yield from steps
        elif sys.stderr.isatty():
            rows = (
                expired_interactions,
                expired_device_codes,
                expired_sessions,
                unused_registrations,
                idle_registrations,
                old_deliveries,
            )
            total = count_spent_tokens(at=at) + sum(each(at=at).count() for each in rows)
            with tqdm(total=total, unit=" rows", file=sys.stderr) as bar:
                for kind, deleted in steps:
                    bar.update(deleted)
                    yield kind, deleted
        else:
            for kind, deleted in steps:
                if deleted:
                    self.stdout.write(f"{deleted} {kind.replace('_', ' ')}")
                yield kind, deleted


def _clean(at: datetime) -> Iterator[Deleted]:
    yield from clean_tokens(at=at)
    yield from (("interactions", deleted) for deleted in clean_interactions(at=at))
    yield from (("device_codes", deleted) for deleted in clean_device_codes(at=at))
    yield from (("sessions", deleted) for deleted in clean_sessions(at=at))
    yield from (("registrations", deleted) for deleted in clean_registrations(at=at))
    yield from (("deliveries", deleted) for deleted in clean_deliveries(at=at))
