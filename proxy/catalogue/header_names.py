"""Names of headers: which staff may choose, and how servers compare them."""

import re
from typing import Final

# RFC 9110 section 5.6.2, narrowed to what survives every server
HEADER_NAME: Final = re.compile(r"\A[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\Z")
# Headers that frame or route the message, or that the gateway writes itself: naming one of them would break the call
UNNAMEABLE: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect", "keep-alive",
     "cookie", "content-type", "authorization", "x-request-id", "x-request-deadline-ms", "x-gateway-identity",
     "x-user-id", "x-client-id", "x-scopes", "x-tenant-id", "x-roles", "traceparent", "via", "forwarded", "x-real-ip",
     "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix"}
)  # fmt: skip
_SEPARATORS = re.compile(r"[^a-z0-9]")


def folded(name: str) -> str:
    """`name` in lower case without anything but letters and digits: X_User.Id and x-user-id are one header."""
    return _SEPARATORS.sub("", name.lower())
