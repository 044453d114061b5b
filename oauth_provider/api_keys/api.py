"""`api-keys/`: credentials without a person; the secret is in the answer to POST alone."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from oauth_provider.api_keys.create import change_api_key, create_api_key, revoke_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.scopes.live import live_scopes
from oauth_provider.staff_api.fields import ScopeNames, StrictModel
from oauth_provider.staff_api.views import GivenOnce


class ApiKeySerializer(StrictModel):
    """A live key."""

    scopes = ScopeNames(required=False)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = ("id", "name", "scopes", "expires_at", "created_at")
        read_only_fields = ("created_at",)
        extra_kwargs: dict[str, Any] = {"name": {"validators": []}}

    def validate_name(self, value: str) -> str:
        """Unlike that of another live key; one that was taken away gives its name back.

        Raises:
            ValidationError: there is another.
        """
        others = ApiKey.objects.filter(name=value)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.filter(revoked_at=None).exists() or (self.instance is not None and others.exists()):
            raise serializers.ValidationError(_("There is a key of this name."))
        return value

    def validate_scopes(self, value: str) -> str:
        """Those that exist and are enabled.

        Raises:
            ValidationError: naming the others.
        """
        if unknown := set(value.split()) - live_scopes(value.split()):
            names = ", ".join(sorted(unknown))
            raise serializers.ValidationError(_("Unknown or disabled: %(names)s") % {"names": names})
        return value


class NewApiKeySerializer(ApiKeySerializer):
    """The answer to POST."""

    secret = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "secret")


@extend_schema_view(create=extend_schema(request=ApiKeySerializer, responses={201: NewApiKeySerializer}))
class ApiKeyView(GivenOnce):
    """Keys that open something; deleting one refuses it for good."""

    resource = "api-keys"
    model = ApiKey
    serializer_class = ApiKeySerializer

    def give(self, values: dict[str, Any]) -> tuple[ApiKey, str]:
        """Under its name, which no other live key has."""
        secret = create_api_key(
            name=values["name"],
            scopes=values.get("scopes", ""),
            expires_at=values.get("expires_at"),
            actor=self.actor,
            note=self.reason,
        )
        return ApiKey.objects.get(name=values["name"]), secret

    def change(self, row: ApiKey, values: dict[str, Any], reason: str) -> None:
        """Its name, its permissions, its end."""
        change_api_key(api_key=row, values=values, actor=self.actor, note=reason)

    def remove(self, row: ApiKey, reason: str) -> None:
        """Refuse it from now on."""
        revoke_api_key(api_key=row, actor=self.actor, reason=reason)
