"""A client as the management API writes it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from oauth_provider.clients.change import ACCESS_TOKEN_LIFETIME_S, REFRESH_TOKEN_LIFETIME_S
from oauth_provider.clients.models import AuthMethod, Client, ClientSecret, Preset
from oauth_provider.resources.registry import find
from oauth_provider.staff_api.fields import ScopeNames, StrictModel, Words

# What a client of each kind may do at the token endpoint (RFC 7591 section 2)
GRANT_TYPES: Mapping[str, tuple[str, ...]] = {
    Client.GRANT_AUTHORIZATION_CODE: ("authorization_code", "refresh_token"),
    Client.GRANT_CLIENT_CREDENTIALS: ("client_credentials",),
}
PUBLIC_METHOD = "none"
# Either is accepted from every client with a secret: builders of GPTs switch between the two without notice
SECRET_METHODS = ("client_secret_basic", "client_secret_post")


class GrantTypesField(serializers.MultipleChoiceField):
    """Which of the two kinds of grant; a code's client may always refresh."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=sorted({name for names in GRANT_TYPES.values() for name in names}), **kwargs)

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever was sent
        """The model's name of the kind.

        Raises:
            ValidationError: a combination nobody has.
        """
        wanted = set(super().to_internal_value(data))
        for kind, names in GRANT_TYPES.items():
            if names[0] in wanted and wanted <= set(names):
                return kind
        raise serializers.ValidationError(_("authorization_code with refresh_token, or client_credentials alone."))

    def to_representation(self, value: Any) -> list[str]:  # type: ignore[override]  # noqa: ANN401 - the model's name
        """Names of RFC 7591."""
        return list(GRANT_TYPES.get(str(value), (str(value),)))


@extend_schema_field({"type": "string", "nullable": True, "description": "a resource's identifier, or its path"})
class ResourceField(serializers.CharField):
    """A registered resource by its identifier or its path; the model keeps the path."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever was sent
        """The path.

        Raises:
            ValidationError: there is no such resource.
        """
        text = super().to_internal_value(data)
        found = find(f"{settings.PUBLIC_BASE_URL}{text}" if text.startswith("/") else text) if text else None
        if text and found is None:
            raise serializers.ValidationError(_("There is no such resource."))
        return found.path if found else ""

    def to_representation(self, value: Any) -> Any:  # noqa: ANN401 - the model's path
        """The identifier, null for none."""
        return f"{settings.PUBLIC_BASE_URL}{value}" if value else None


class AuthMethodField(serializers.ChoiceField):
    """How the client proves itself at the token endpoint: the model knows whether it has a secret."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[PUBLIC_METHOD, *SECRET_METHODS, AuthMethod.PRIVATE_KEY_JWT.value], **kwargs)

    def to_internal_value(self, data: Any) -> bool:  # type: ignore[override]  # noqa: ANN401 - whatever was sent
        """Whether it has a secret.

        Raises:
            ValidationError: no such method, or one that needs a key.
        """
        method = super().to_internal_value(data)
        if method == AuthMethod.PRIVATE_KEY_JWT:
            raise serializers.ValidationError(_("A key is given on the client's page in the admin."))
        return bool(method != PUBLIC_METHOD)

    def to_representation(self, value: Any) -> str:  # noqa: ANN401 - the model's answer
        """The default of RFC 7591 for a client with a secret."""
        return SECRET_METHODS[0] if value else PUBLIC_METHOD


class ClientSerializer(StrictModel):
    """An application that acts for people, or for itself."""

    fixed = frozenset({"preset", "client_type", "grant_types", "token_endpoint_auth_method"})
    preset = serializers.ChoiceField(choices=Preset.choices, required=False)
    client_type = serializers.ChoiceField(choices=["confidential", "public"], required=False)
    grant_types = GrantTypesField(source="authorization_grant_type", required=False)
    redirect_uris = Words(required=False)
    scopes = ScopeNames(source="allowed_scopes", required=False)
    default_resource = ResourceField(required=False, allow_null=True, allow_blank=True, max_length=2000)
    token_endpoint_auth_method = AuthMethodField(source="is_confidential", required=False)
    access_token_lifetime_s = serializers.IntegerField(
        min_value=ACCESS_TOKEN_LIFETIME_S[0], max_value=ACCESS_TOKEN_LIFETIME_S[1], required=False
    )
    refresh_token_lifetime_s = serializers.IntegerField(
        min_value=REFRESH_TOKEN_LIFETIME_S[0], max_value=REFRESH_TOKEN_LIFETIME_S[1], required=False
    )
    suspended = serializers.BooleanField(source="is_suspended", read_only=True)
    trust_reviewed_by = serializers.CharField(source="trust_reviewed_by.username", allow_null=True, read_only=True)

    class Meta:
        model = Client
        fields: tuple[str, ...] = (
            "client_id",
            "name",
            "preset",
            "client_type",
            "grant_types",
            "redirect_uris",
            "scopes",
            "default_resource",
            "token_endpoint_auth_method",
            "access_token_lifetime_s",
            "refresh_token_lifetime_s",
            "trust",
            "trust_reviewed_by",
            "trust_reviewed_at",
            "suspended",
            "origin",
            "approval",
            "fingerprint",
            "registered_at",
            "first_consented_at",
        )
        read_only_fields = (
            "client_id",
            "trust_reviewed_at",
            "origin",
            "approval",
            "fingerprint",
            "registered_at",
            "first_consented_at",
        )
        extra_kwargs = {"name": {"required": True, "allow_blank": False}}

    def to_representation(self, instance: Any) -> Any:  # noqa: ANN401 - as the framework has it
        """As the client proves itself, with its own key too (RFC 7523)."""
        shown = super().to_representation(instance)
        if instance.token_endpoint_auth_method:
            shown["token_endpoint_auth_method"] = instance.token_endpoint_auth_method
        return shown

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The type and the method, either of which may be left out, say the same.

        Raises:
            ValidationError: they contradict each other.
        """
        if "is_confidential" not in attrs:
            return attrs
        implied = Client.CLIENT_CONFIDENTIAL if attrs.pop("is_confidential") else Client.CLIENT_PUBLIC
        if attrs.setdefault("client_type", implied) != implied:
            words = _("A public client has the method none, any other a secret.")
            raise serializers.ValidationError({"token_endpoint_auth_method": [words]})
        return attrs


class NewClientSerializer(ClientSerializer):
    """The answer to POST; a public client has no secret."""

    client_secret = serializers.CharField(read_only=True, required=False)

    class Meta(ClientSerializer.Meta):
        fields = (*ClientSerializer.Meta.fields, "client_secret")


class SecretSerializer(StrictModel):
    """A live secret, by its last characters."""

    class Meta:
        model = ClientSecret
        fields: tuple[str, ...] = ("id", "hint", "created_at", "last_used_at")
        read_only_fields = fields


class NewSecretSerializer(SecretSerializer):
    """The answer to POST."""

    client_secret = serializers.CharField(read_only=True)

    class Meta(SecretSerializer.Meta):
        fields = (*SecretSerializer.Meta.fields, "client_secret")
        read_only_fields = fields
