"""Check backends now, and remember what was found."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from proxy.catalogue.mcp_backends.wanted import look_at
from proxy.catalogue.models import Backend, BackendKind
from proxy.health.models import BackendCheck
from proxy.upstream.probe import Probe, probe_all

LOOK_FAILED = _("It is there, but does not say what it offers: its page in the admin says why.")


def check_backends(*, backends: Sequence[Backend]) -> list[Probe]:
    """Probe each of `backends` without any credential, several at once; takes as long as the slowest, ten seconds.

    Those that are MCP servers are also asked what they offer, as calls reach them.
    """
    probes = asyncio.run(probe_all(backends))
    faults = {backend.name: look_at(backend) for backend in backends if backend.kind == BackendKind.MCP}
    probes = [
        replace(probe, advice=LOOK_FAILED)
        if probe.reachable and not probe.advice and faults.get(probe.backend)
        else probe
        for probe in probes
    ]
    with transaction.atomic():
        # One may have been removed while it was waited for
        there = set(
            Backend.objects.select_for_update()
            .filter(pk__in=[backend.pk for backend in backends])
            .values_list("pk", flat=True)
        )
        BackendCheck.objects.bulk_create(
            [_found(backend, probe) for backend, probe in zip(backends, probes, strict=True) if backend.pk in there],
            update_conflicts=True,
            unique_fields=["backend"],
            update_fields=["checked_at", "reachable", "status", "latency_ms", "advice"],
        )
    return probes


def _found(backend: Backend, probe: Probe) -> BackendCheck:
    return BackendCheck(
        backend=backend,
        checked_at=timezone.now(),
        reachable=probe.reachable,
        status=probe.status,
        latency_ms=probe.latency_ms,
        advice=probe.advice[:300],
    )
