"""Index of the slices' models, so that Django finds them."""

from oauth_provider.api_keys.models import ApiKey
from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.connections.models import Connection
from oauth_provider.device.models import DeviceCode
from oauth_provider.identities.models import Identity
from oauth_provider.keys.models import SigningKey
from oauth_provider.registration.documents.models import DocumentVersion, MetadataDocument
from oauth_provider.registration.models import InitialAccessToken, ListedClient, Registration, RegistrationPolicy
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.models import Revision
from oauth_provider.scopes.models import Scope
from oauth_provider.staff_tokens.models import StaffToken
from oauth_provider.tokens.models import AuthorizationCode, FamilyToken, TokenFamily, UsedAssertion
from oauth_provider.webhooks.models import Delivery, Promotion

__all__ = [
    "ApiKey",
    "AuthorizationCode",
    "Client",
    "ClientSecret",
    "Connection",
    "Delivery",
    "DeviceCode",
    "DocumentVersion",
    "FamilyToken",
    "Identity",
    "InitialAccessToken",
    "Interaction",
    "ListedClient",
    "MetadataDocument",
    "Promotion",
    "Registration",
    "RegistrationPolicy",
    "Resource",
    "Revision",
    "Scope",
    "SigningKey",
    "StaffToken",
    "TokenFamily",
    "UsedAssertion",
]
