"""Ask every enabled backend whether it is there."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from proxy.catalogue.models import Backend
from proxy.health.check import check_backends
from proxy.upstream.probe import Probe


class Command(BaseCommand):
    """Sends no credential and no identity; exit status 1 when a backend is not reachable."""

    help = "Probe every enabled backend: reachable or not, how fast, and what to do."

    def add_arguments(self, parser: CommandParser) -> None:
        """The one option."""
        parser.add_argument("--json", action="store_true", help="print the results as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Probe, print, and fail if any is down."""
        probes = check_backends(backends=list(Backend.objects.filter(enabled=True)))
        if options["json"]:
            self.stdout.write(json.dumps([asdict(probe) for probe in probes]))
        else:
            self._print(probes)
        if not all(probe.reachable for probe in probes):
            sys.exit(1)

    def _print(self, probes: list[Probe]) -> None:
        if not probes:
            self.stdout.write("No backend is enabled.")
        width = max((len(probe.backend) for probe in probes), default=0)
        for probe in probes:
            outcome = f"up    {probe.status}  {probe.latency_ms:7.1f} ms" if probe.reachable else "DOWN" + 18 * " "
            self.stdout.write(f"{probe.backend:<{width}}  {outcome}  {probe.url}")
            if probe.advice:
                self.stdout.write(f"{'':<{width}}  {probe.advice}")
