"""The authorization server's application configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OAuthProviderConfig(AppConfig):
    """Not to be confused with `oauth2_provider`, the library underneath."""

    name = "oauth_provider"
    verbose_name = _("Authorization server")
    default_auto_field = "django.db.models.BigAutoField"
