"""Make a backend's operations what an OpenAPI document says."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from proxy.catalogue.models import Backend
from proxy.catalogue.openapi_import.apply import apply_import
from proxy.catalogue.openapi_import.faults import ImportFault
from proxy.catalogue.openapi_import.merge import Plan, make_plan
from proxy.catalogue.openapi_import.propose import Proposal, Proposer
from proxy.catalogue.openapi_import.read import read_document
from proxy.catalogue.openapi_import.report import facts_of, lines_of
from proxy.catalogue.openapi_import.source import file_content, is_url, url_content

# A line of progress for every so many paths
TELL_EVERY = 250


class Command(BaseCommand):
    """All of the document or nothing of it; what staff changed stays."""

    help = "Import the operations of an OpenAPI 3.0 or 3.1 document into a backend, and show what changes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which document, which backend, and how."""
        parser.add_argument("source", help="a file or an address, JSON or YAML")
        parser.add_argument("--backend", required=True, help="its name")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            dest="scopes",
            help="what operations need that name no permission known here; may be given again. Without: disabled",
        )
        parser.add_argument(
            "--disable-missing", action="store_true", help="disable what was imported and is not in it any more"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument("--reason", default="", help="kept in the audit log with every change")
        parser.add_argument("--json", action="store_true", help="print the changes as JSON, and nothing else")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read, compare, show, store."""
        backend = Backend.objects.filter(name=options["backend"]).first()
        if backend is None:
            raise CommandError(f"--backend: there is none called {options['backend']}")
        try:
            plan = self._run(backend, options)
        except ImportFault as fault:
            raise CommandError(str(fault)) from fault
        done = not options["dry_run"]
        if options["json"]:
            self.stdout.write(json.dumps(facts_of(plan, backend=backend, applied=done)))
            return
        for line in lines_of(plan, disable_missing=options["disable_missing"]):
            self.stdout.write(line)
        self.stdout.write("Imported." if done else "Nothing was changed: this was a dry run.")

    def _run(self, backend: Backend, options: dict[str, Any]) -> Plan:
        source = options["source"]
        content = url_content(source, backend=backend) if is_url(source) else file_content(source)
        proposer = Proposer(read_document(content), backend=backend, otherwise=options["scopes"])
        proposals = list(self._shown(proposer, quiet=options["json"]))
        plan = make_plan(backend=backend, proposals=proposals, notes=proposer.notes())
        if options["dry_run"]:
            return plan
        return apply_import(
            backend=backend,
            proposals=proposals,
            notes=proposer.notes(),
            seen=plan.digest,
            disable_missing=options["disable_missing"],
            actor=None,
            note=options["reason"],
        )

    def _shown(self, proposer: Proposer, *, quiet: bool) -> Iterator[Proposal]:
        """The proposals, with a progress bar on a terminal and a line now and then otherwise."""
        with tqdm(total=len(proposer), unit=" paths", file=sys.stderr, disable=quiet or not sys.stderr.isatty()) as bar:
            for number, proposals in enumerate(proposer.proposals(), start=1):
                bar.update()
                if not quiet and bar.disable and number % TELL_EVERY == 0:
                    self.stdout.write(f"{number} of {len(proposer)} paths read")
                yield from proposals
