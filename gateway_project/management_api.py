"""The routes of the management API, mounted at /api/manage/v1/."""

from django.urls import path, re_path

from audit.ledger.api import EventView
from oauth_provider.api_keys.api import ApiKeyView
from oauth_provider.clients.api import ClientView, SecretView
from oauth_provider.connections.api import ConnectionView, RevokeClientView
from oauth_provider.identities.api import UserView
from oauth_provider.registration.api import ApprovalView
from oauth_provider.registration.settings_api import InvitationView, ListedView, PolicyView
from oauth_provider.resources.api import ResourceView
from oauth_provider.scopes.api import ScopeView
from oauth_provider.staff_api.schema import SchemaView
from oauth_provider.staff_api.views import NothingThere, action, routes
from proxy.catalogue.api import BackendView, OperationView
from proxy.catalogue.mcp_backends.api import DEFINITIONS, DefinitionView
from proxy.catalogue.servers.api import ServerView
from proxy.catalogue.ui_resources.api import UiResourceView
from proxy.issuers.api import IssuerView
from proxy.limits.api import LimitView

SECRETS = "clients/<str:client_id>/secrets/"

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="manage-schema"),
    *routes(BackendView),
    path(DEFINITIONS, DefinitionView.as_view({"get": "list"}), name="manage-definitions"),
    path(f"{DEFINITIONS}<int:id>/", DefinitionView.as_view({"get": "retrieve"}), name="manage-definitions-one"),
    path(f"{DEFINITIONS}<int:id>/approve/", DefinitionView.as_view({"post": "approve"}), name="manage-approve"),
    path(f"{DEFINITIONS}<int:id>/refuse/", DefinitionView.as_view({"post": "refuse"}), name="manage-refuse"),
    path("backends/<str:name>/look/", DefinitionView.as_view({"post": "look"}), name="manage-look"),
    *routes(OperationView),
    *routes(UiResourceView),
    *routes(ServerView),
    *routes(ScopeView),
    *routes(ResourceView),
    *routes(ClientView),
    action(ClientView, "suspend"),
    action(ClientView, "resume"),
    action(ApprovalView, "approve"),
    action(ApprovalView, "decline"),
    action(RevokeClientView, "revoke"),
    path(SECRETS, SecretView.as_view({"get": "secrets", "post": "add_secret"}), name="manage-secrets"),
    path(f"{SECRETS}<int:secret_id>/", SecretView.as_view({"delete": "retire_secret"}), name="manage-secrets-one"),
    path(
        f"{PolicyView.resource}/",
        PolicyView.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="manage-registration-policy",
    ),
    *routes(ListedView),
    *routes(InvitationView),
    *routes(UserView),
    *routes(ConnectionView),
    action(ConnectionView, "revoke"),
    *routes(IssuerView),
    *routes(LimitView),
    *routes(ApiKeyView),
    path("audit/events/", EventView.as_view({"get": "list"}), name="manage-events"),
    path("audit/events/<uuid:id>/", EventView.as_view({"get": "retrieve"}), name="manage-events-one"),
    re_path("", NothingThere.as_view(), name="manage-nothing"),
]
