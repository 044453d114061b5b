"""What a staff token can be made for: reading or writing each resource of the management API."""

from typing import Final

RESOURCES: Final = (
    "backends",
    "operations",
    "ui-resources",
    "servers",
    "scopes",
    "resources",
    "clients",
    "registration-policy",
    "listed-clients",
    "invitations",
    "users",
    "connections",
    "issuers",
    "limits",
    "api-keys",
    "audit",
)
# Nobody writes the audit log
STAFF_SCOPES: Final = tuple(
    f"{resource}:{deed}"
    for resource in RESOURCES
    for deed in ("read", "write")
    if (resource, deed) != ("audit", "write")
)
