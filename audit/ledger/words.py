"""Kinds and decisions in the words of staff."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.ledger.kinds import Decision, Kind

KINDS: Final[Mapping[str, Promise | str]] = {
    Kind.PROXY_CALL_DECIDED: _("Call"),
    Kind.PROXY_REFUSALS_COUNTED: _("Further refusals"),
    Kind.PROXY_BREAKER_OPENED: _("Backend left alone"),
    Kind.PROXY_BREAKER_CLOSED: _("Backend called again"),
    Kind.PROXY_DEFINITION_QUARANTINED: _("Definition withheld"),
    Kind.PROXY_DEFINITION_RESTORED: _("Definition served again"),
    Kind.OAUTH_AUTHORIZATION_SHOWN: _("Permission asked"),
    Kind.OAUTH_AUTHORIZATION_ALLOWED: _("Permission given"),
    Kind.OAUTH_AUTHORIZATION_DENIED: _("Permission not given"),
    Kind.OAUTH_AUTHORIZATION_REFUSED: _("Request for permission refused"),
    Kind.OAUTH_TOKEN_ISSUED: _("Token issued"),
    Kind.OAUTH_TOKEN_REFRESHED: _("Token renewed"),
    Kind.OAUTH_TOKEN_REFUSED: _("Token refused"),
    Kind.OAUTH_TOKEN_REPLAYED: _("Token or code used twice"),
    Kind.OAUTH_TOKEN_REVOKED: _("Token given up"),
    Kind.OAUTH_CONNECTION_REVOKED: _("Connection ended"),
    Kind.OAUTH_CLIENT_REGISTERED: _("Client registered itself"),
    Kind.OAUTH_CLIENT_CHANGED: _("Client changed its registration"),
    Kind.OAUTH_CLIENT_DELETED: _("Registration deleted"),
    Kind.OAUTH_CLIENT_REFUSED: _("Registration refused"),
    Kind.OAUTH_DEVICE_STARTED: _("Code for a device given"),
    Kind.OAUTH_DEVICE_REFUSED: _("Code for a device refused"),
    Kind.OAUTH_USERINFO_READ: _("Data about a person read"),
    Kind.OAUTH_USERINFO_REFUSED: _("Data about a person refused"),
    Kind.OAUTH_DOCUMENT_FETCHED: _("Metadata document asked for"),
    Kind.ACCOUNT_SIGNIN_SUCCEEDED: _("Signed in"),
    Kind.ACCOUNT_SIGNIN_FAILED: _("Sign-in failed"),
    Kind.ACCOUNT_SIGNOUT_SUCCEEDED: _("Signed out"),
    Kind.ACCOUNT_IDENTITY_LINKED: _("Linked to the sign-in provider"),
    Kind.ACCOUNT_IDENTITY_CHANGED: _("Changed by the sign-in provider"),
    Kind.WEBHOOK_MESSAGE_TAKEN: _("Message from the identity provider"),
    Kind.WEBHOOK_MESSAGE_IGNORED: _("Message without effect"),
    Kind.WEBHOOK_MESSAGE_REFUSED: _("Message refused"),
    Kind.WEBHOOK_CLIENT_PROMOTED: _("Client promoted at Auth0"),
    Kind.WEBHOOK_CLIENT_REFUSED: _("Client not promoted at Auth0"),
    Kind.ADMIN_OBJECT_ADDED: _("Added"),
    Kind.ADMIN_OBJECT_CHANGED: _("Changed"),
    Kind.ADMIN_OBJECT_DELETED: _("Deleted"),
    Kind.ADMIN_CLIENT_SUSPENDED: _("Client suspended"),
    Kind.ADMIN_CLIENT_RESUMED: _("Client resumed"),
    Kind.ADMIN_CLIENT_APPROVED: _("Client approved"),
    Kind.ADMIN_CLIENT_DECLINED: _("Client declined"),
    Kind.ADMIN_CLIENT_REVIEWED: _("Client’s trust reviewed"),
    Kind.ADMIN_DEFINITION_APPROVED: _("Definition approved"),
    Kind.ADMIN_DEFINITION_REFUSED: _("Definition refused"),
    Kind.ADMIN_SECRET_CREATED: _("Secret made"),
    Kind.ADMIN_SECRET_RETIRED: _("Secret retired"),
    Kind.SYSTEM_PROCESS_STARTED: _("Gateway started"),
    Kind.SYSTEM_TOKENS_CLEANED: _("Old tokens cleaned up"),
    Kind.SYSTEM_CALLS_CLEANED: _("Kept answers cleaned up"),
    Kind.SYSTEM_KEY_ROTATED: _("Signing key changed"),
}
DECISIONS: Final[Mapping[str, Promise | str]] = {
    Decision.ALLOW: _("Allowed"),
    Decision.DENY: _("Refused"),
    Decision.ERROR: _("Failed"),
}
