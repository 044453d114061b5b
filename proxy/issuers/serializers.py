"""Issuers as the management API writes them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from oauth_provider.staff_api.fields import StrictModel
from proxy.issuers.jwks import ALGORITHMS
from proxy.issuers.models import MAX_AUDIENCE, MAX_AUDIENCES, Issuer, claims_fault
from proxy.issuers.subject import MAPPED

_TEXT = {"type": "string", "maxLength": MAX_AUDIENCE}


@extend_schema_field({"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MAX_AUDIENCES}]})
class AudienceField(serializers.Field[Any, Any, Any, Any]):
    """One audience or a list of them, kept as it was given (RFC 7519 section 4.1.3)."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """As it is; the model looks at the texts.

        Raises:
            ValidationError: neither a text nor a list of texts.
        """
        texts = [data] if isinstance(data, str) else data
        if not isinstance(texts, list) or not all(isinstance(text, str) and "\x00" not in text for text in texts):
            raise serializers.ValidationError(_("One audience or a list of them, each once."))
        return data

    def to_representation(self, value: Any) -> Any:  # noqa: ANN401 - a text or a list
        """As it was given."""
        return value


@extend_schema_field(
    {
        "type": "object",
        "properties": {name: {"type": "string"} for name in MAPPED},
        "additionalProperties": False,
        "description": "the claim that holds each; what is left out comes from the claims of RFC 9068",
    }
)
class ClaimsField(serializers.Field[Any, Any, Any, Any]):
    """Which claim of a token holds what."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """The mapping.

        Raises:
            ValidationError: it names something else, or no claim.
        """
        if fault := claims_fault(data):
            raise serializers.ValidationError(fault)
        return data

    def to_representation(self, value: Any) -> Any:  # noqa: ANN401 - a mapping
        """As it was given."""
        return value


class IssuerSerializer(StrictModel):
    """Somebody else's authorization server, whose tokens open backends in the auth mode `issuer`."""

    fixed = frozenset({"name"})
    audience = AudienceField()
    algorithms = serializers.ListField(
        child=serializers.ChoiceField(choices=ALGORITHMS), required=False, allow_empty=False, max_length=len(ALGORITHMS)
    )
    claims = ClaimsField(required=False)

    class Meta:
        model = Issuer
        fields = ("name", "issuer", "audience", "jwks_url", "algorithms", "claims", "allow_private", "enabled")
