"""Index of the slices' admin, so that Django finds them."""

from proxy.catalogue.admin import BackendAdmin, OperationAdmin
from proxy.catalogue.servers.admin import McpServerAdmin
from proxy.catalogue.ui_resources.admin import UiResourceAdmin
from proxy.health.admin import BackendCheckAdmin
from proxy.issuers.admin import IssuerAdmin
from proxy.limits.admin import LimitAdmin

__all__ = [
    "BackendAdmin",
    "BackendCheckAdmin",
    "IssuerAdmin",
    "LimitAdmin",
    "McpServerAdmin",
    "OperationAdmin",
    "UiResourceAdmin",
]
