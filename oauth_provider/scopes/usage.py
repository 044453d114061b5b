"""Where a scope is used: what would notice if it were switched off."""

from collections import Counter
from dataclasses import dataclass

from django.apps import apps


@dataclass(frozen=True, slots=True)
class Usage:
    """How many clients may ask for each scope, and how many operations require it, by name."""

    clients: Counter[str]
    operations: Counter[str]


def scope_usage() -> Usage:
    """Counted over every client and operation: there are hundreds of either at most."""
    # By name: both are layers above
    clients = apps.get_model("oauth_provider", "Client")
    operations = apps.get_model("proxy", "Operation")
    allowed = clients._default_manager.values_list("allowed_scopes", flat=True)
    required = operations._default_manager.values_list("scopes", "any_scopes")
    return Usage(
        clients=Counter(name for names in allowed for name in names.split()),
        operations=Counter(name for lists in required for name in {*lists[0], *lists[1]}),
    )
