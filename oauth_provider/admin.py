"""Index of the slices' admin pages; what the libraries registered and staff have no use for is taken out."""

from allauth.account import admin as account_library
from allauth.account.models import EmailAddress
from allauth.socialaccount import admin as sign_in_library
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from oauth2_provider import admin as library
from oauth2_provider.models import (
    get_access_token_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)

from oauth_provider.api_keys.admin import ApiKeyAdmin
from oauth_provider.connections.admin import ConnectionAdmin
from oauth_provider.identities.admin import RoleAdmin, UserAdmin
from oauth_provider.keys.admin import SigningKeyAdmin
from oauth_provider.registration.admin import InvitationAdmin, ListedClientAdmin, RegistrationPolicyAdmin
from oauth_provider.registration.client_admin import ClientAdmin
from oauth_provider.registration.documents.admin import MetadataDocumentAdmin
from oauth_provider.scopes.admin import ScopeAdmin
from oauth_provider.staff_tokens.admin import StaffTokenAdmin

__all__ = [
    "ApiKeyAdmin",
    "ClientAdmin",
    "ConnectionAdmin",
    "InvitationAdmin",
    "ListedClientAdmin",
    "MetadataDocumentAdmin",
    "RegistrationPolicyAdmin",
    "RoleAdmin",
    "ScopeAdmin",
    "SigningKeyAdmin",
    "StaffTokenAdmin",
    "UserAdmin",
    "account_library",
    "library",
    "sign_in_library",
]

# Importing the library's pages registers them, ours for clients among them (APPLICATION_ADMIN_CLASS)
for model in (get_access_token_model(), get_grant_model(), get_id_token_model(), get_refresh_token_model()):
    admin.site.unregister(model)
for model in (EmailAddress, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)
