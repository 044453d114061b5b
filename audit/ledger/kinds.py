"""What kinds of events there are, and what was decided."""

from enum import StrEnum


class Kind(StrEnum):
    """`source:subject:action`; a value is never renamed, because the ledger cannot be."""

    PROXY_CALL_DECIDED = "proxy:call:decided"
    PROXY_REFUSALS_COUNTED = "proxy:refusals:counted"
    PROXY_BREAKER_OPENED = "proxy:breaker:opened"
    PROXY_BREAKER_CLOSED = "proxy:breaker:closed"
    PROXY_DEFINITION_QUARANTINED = "proxy:definition:quarantined"
    PROXY_DEFINITION_RESTORED = "proxy:definition:restored"
    OAUTH_AUTHORIZATION_SHOWN = "oauth:authorization:shown"
    OAUTH_AUTHORIZATION_ALLOWED = "oauth:authorization:allowed"
    OAUTH_AUTHORIZATION_DENIED = "oauth:authorization:denied"
    OAUTH_AUTHORIZATION_REFUSED = "oauth:authorization:refused"
    OAUTH_TOKEN_ISSUED = "oauth:token:issued"  # noqa: S105 - a kind's name
    OAUTH_TOKEN_REFRESHED = "oauth:token:refreshed"  # noqa: S105 - a kind's name
    OAUTH_TOKEN_REFUSED = "oauth:token:refused"  # noqa: S105 - a kind's name
    OAUTH_TOKEN_REPLAYED = "oauth:token:replayed"  # noqa: S105 - a kind's name
    OAUTH_TOKEN_REVOKED = "oauth:token:revoked"  # noqa: S105 - a kind's name
    OAUTH_CONNECTION_REVOKED = "oauth:connection:revoked"
    OAUTH_CLIENT_REGISTERED = "oauth:client:registered"
    OAUTH_CLIENT_CHANGED = "oauth:client:changed"
    OAUTH_CLIENT_DELETED = "oauth:client:deleted"
    OAUTH_CLIENT_REFUSED = "oauth:client:refused"
    OAUTH_DEVICE_STARTED = "oauth:device:started"
    OAUTH_DEVICE_REFUSED = "oauth:device:refused"
    OAUTH_USERINFO_READ = "oauth:userinfo:read"
    OAUTH_USERINFO_REFUSED = "oauth:userinfo:refused"
    OAUTH_DOCUMENT_FETCHED = "oauth:document:fetched"
    ACCOUNT_SIGNIN_SUCCEEDED = "account:signin:succeeded"
    ACCOUNT_SIGNIN_FAILED = "account:signin:failed"
    ACCOUNT_SIGNOUT_SUCCEEDED = "account:signout:succeeded"
    ACCOUNT_IDENTITY_LINKED = "account:identity:linked"
    ACCOUNT_IDENTITY_CHANGED = "account:identity:changed"
    WEBHOOK_MESSAGE_TAKEN = "webhook:message:taken"
    WEBHOOK_MESSAGE_IGNORED = "webhook:message:ignored"
    WEBHOOK_MESSAGE_REFUSED = "webhook:message:refused"
    WEBHOOK_CLIENT_PROMOTED = "webhook:client:promoted"
    WEBHOOK_CLIENT_REFUSED = "webhook:client:refused"
    ADMIN_OBJECT_ADDED = "admin:object:added"
    ADMIN_OBJECT_CHANGED = "admin:object:changed"
    ADMIN_OBJECT_DELETED = "admin:object:deleted"
    ADMIN_CLIENT_SUSPENDED = "admin:client:suspended"
    ADMIN_CLIENT_RESUMED = "admin:client:resumed"
    ADMIN_CLIENT_APPROVED = "admin:client:approved"
    ADMIN_CLIENT_DECLINED = "admin:client:declined"
    ADMIN_CLIENT_REVIEWED = "admin:client:reviewed"
    ADMIN_DEFINITION_APPROVED = "admin:definition:approved"
    ADMIN_DEFINITION_REFUSED = "admin:definition:refused"
    ADMIN_SECRET_CREATED = "admin:secret:created"  # noqa: S105 - a kind's name
    ADMIN_SECRET_RETIRED = "admin:secret:retired"  # noqa: S105 - a kind's name
    SYSTEM_PROCESS_STARTED = "system:process:started"
    SYSTEM_TOKENS_CLEANED = "system:tokens:cleaned"
    SYSTEM_CALLS_CLEANED = "system:calls:cleaned"
    SYSTEM_KEY_ROTATED = "system:key:rotated"


class Decision(StrEnum):
    """What the gateway answered: yes, no, or that something broke."""

    ALLOW = "allow"
    DENY = "deny"
    ERROR = "error"


class Phase(StrEnum):
    """An intent is durable before the effect, a final one before the answer ends."""

    INTENT = "intent"
    FINAL = "final"
