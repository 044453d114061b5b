"""Signing keys in the admin: which one signs, which ones still verify; the private halves are never shown."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oauth_provider.admin_skin import column
from oauth_provider.keys.models import SigningKey
from oauth_provider.recorded_admin import ReadOnlyAdmin


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Made by the gateway itself; backends read the public halves at /.well-known/jwks.json."""

    granted = ("view",)
    list_display = ("kid", "state", "created_at", "retired_at")
    fields = ("kid", "state", "created_at", "retired_at", "algorithm")
    readonly_fields = ("kid", "state", "created_at", "retired_at", "algorithm")

    @column(description=gettext_lazy("state"), label={"signs": "success", "verifies": "info"})
    def state(self, key: SigningKey) -> tuple[str, str]:
        """What it is good for."""
        newest = SigningKey.objects.filter(retired_at=None).first()
        if newest is not None and newest.pk == key.pk:
            return "signs", _("Signs")
        return "verifies", _("Only verifies")

    @column(description=gettext_lazy("algorithm"))
    def algorithm(self, key: SigningKey) -> str:
        """As its public half says."""
        return str(key.public_jwk.get("alg", ""))
