"""Index of the slices' models, so that Django finds them."""

from proxy.catalogue.mcp_backends.models import Definition, McpBackend
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.servers.models import McpServer
from proxy.catalogue.ui_resources.models import UiResource
from proxy.ended_sessions.models import EndedSession
from proxy.health.models import BackendCheck
from proxy.idempotency.models import KeptCall
from proxy.issuers.models import Issuer
from proxy.limits.models import Limit

__all__ = [
    "Backend",
    "BackendCheck",
    "Definition",
    "EndedSession",
    "Issuer",
    "KeptCall",
    "Limit",
    "McpBackend",
    "McpServer",
    "Operation",
    "UiResource",
]
