"""The authorization server's URLs, mounted at the root."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from oauth_provider.authorize.views import AuthorizeView
from oauth_provider.device.pages import DevicePage, done
from oauth_provider.device.views import DeviceAuthorizationView
from oauth_provider.identities.provider.views import LeaveView, ReturnView
from oauth_provider.identities.views import LoginView, LogoutView
from oauth_provider.metadata.views import another_issuer, authorization_server, key_set
from oauth_provider.openid.views import UserInfoView
from oauth_provider.registration.views import RegisterView, RegistrationView
from oauth_provider.tokens.views import IntrospectView, RevokeView, TokenView
from oauth_provider.webhooks.auth0.views import Auth0WebhookView
from oauth_provider.webhooks.identity.views import IdentityWebhookView


def _well_known(name: str, view: Callable[..., HttpResponseBase], *, label: str) -> list[URLPattern]:
    # With and without a slash at the end: clients do not follow a redirect of their discovery
    return [path(f".well-known/{name}", view, name=label), path(f".well-known/{name}/", view)]


def _alias(prefix: str) -> list[URLPattern]:
    # The same views under the prefix a GPT was configured with; they have no names, so links lead to /oauth/.
    root = prefix.strip("/")
    return [
        path(f"{root}/authorize", AuthorizeView.as_view()),
        path(f"{root}/token", TokenView.as_view()),
        path(f"{root}/revoke", RevokeView.as_view()),
    ]


urlpatterns = [
    path("", RedirectView.as_view(url="/connected-apps/"), name="home"),
    *_well_known("oauth-authorization-server", authorization_server, label="authorization-server-metadata"),
    *_well_known("openid-configuration", authorization_server, label="openid-configuration"),
    *_well_known("jwks.json", key_set, label="jwks"),
    path(".well-known/oauth-authorization-server/<path:issuer_path>", another_issuer),
    path(".well-known/openid-configuration/<path:issuer_path>", another_issuer),
    path("oauth/authorize", AuthorizeView.as_view(), name="authorize"),
    path("oauth/token", TokenView.as_view(), name="token"),
    path("oauth/revoke", RevokeView.as_view(), name="revoke"),
    path("oauth/introspect", IntrospectView.as_view(), name="introspect"),
    path("oauth/register", RegisterView.as_view(), name="register"),
    path("oauth/register/<str:client_id>", RegistrationView.as_view(), name="registration"),
    path("oauth/userinfo", UserInfoView.as_view(), name="userinfo"),
    path("oauth/device_authorization", DeviceAuthorizationView.as_view(), name="device-authorization"),
    path("device", DevicePage.as_view(), name="device"),
    path("device/", DevicePage.as_view()),
    path("device/connected", done("device/connected.html"), name="device-connected"),
    path("device/denied", done("device/denied.html"), name="device-denied"),
    path("accounts/login/", LoginView.as_view(), name="login"),
    path("accounts/provider/", LeaveView.as_view(), name="sign-in-provider"),
    path("accounts/provider/callback/", ReturnView.as_view(), name="sign-in-callback"),
    path("webhooks/identity", IdentityWebhookView.as_view(), name="identity-webhook"),
    path("webhooks/auth0", Auth0WebhookView.as_view(), name="auth0-webhook"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    *(pattern for prefix in settings.OAUTH_ALIAS_PREFIXES for pattern in _alias(prefix)),
]
