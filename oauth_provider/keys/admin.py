"""Signing keys in the admin: which one signs, which ones still verify; the private halves are never shown."""

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import chip, code, column
from oauth_provider.keys.models import SigningKey
from oauth_provider.recorded_admin import ReadOnlyAdmin


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Made by the gateway itself; backends read the public halves at /.well-known/jwks.json."""

    granted = ("view",)
    list_display = ("identifier", "state", "signs_from", "published_until")
    fields = readonly_fields = ("identifier", "state", "created_at", "signs_from", "published_until", "algorithm")

    @column(description=gettext_lazy("key id"), ordering="kid")
    def identifier(self, key: SigningKey) -> SafeString:
        """What a signature names."""
        return code(key.kid)

    @column(description=gettext_lazy("state"))
    def state(self, key: SigningKey) -> SafeString:
        """What it is good for."""
        now = timezone.now()
        if key.signs_from > now:
            return chip("plain", _("Signs soon"))
        if key.published_until is not None and key.published_until <= now:
            return chip("plain", _("Withdrawn"))
        newest = SigningKey.objects.published(now).filter(signs_from__lte=now).first()
        return chip("good", _("Signs")) if newest == key else chip("plain", _("Only verifies"))

    @column(description=gettext_lazy("algorithm"))
    def algorithm(self, key: SigningKey) -> str:
        """As its public half says."""
        return str(key.public_jwk.get("alg", ""))
