"""Print the phases of every carried call, in their order, by request id: `python -m tests.evidence.phases`."""
# ruff: noqa: E402 - Django's registry must be ready before anything with a model is imported

import json
from collections import defaultdict

import django

django.setup()

from audit.ledger.kinds import Kind
from audit.ledger.models import Event


def main() -> None:
    """JSON."""
    phases: defaultdict[str, list[str]] = defaultdict(list)
    calls = Event.objects.filter(kind=Kind.PROXY_CALL_DECIDED).order_by("timestamp", "id")
    for request_id, phase in calls.values_list("request_id", "phase"):
        phases[request_id].append(phase)
    print(json.dumps(phases))


if __name__ == "__main__":
    main()
