"""The authorization server's application configuration."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _

from oauth_provider.identities.signed_in import note_sign_in


class OAuthProviderConfig(AppConfig):
    """Not to be confused with `oauth2_provider`, the library underneath."""

    name = "oauth_provider"
    verbose_name = _("Authorization server")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Know how old every sign-in is, the admin's included."""
        user_logged_in.connect(note_sign_in, dispatch_uid="oauth_provider.signed_in_at")
