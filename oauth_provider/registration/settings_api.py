"""`registration-policy/`, `listed-clients/`, `invitations/`: about programs that come by themselves."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from oauth_provider.clients.serializers import ResourceField
from oauth_provider.registration.invitations import MAX_INVITATION_DAYS, create_invitation, revoke_invitation
from oauth_provider.registration.models import InitialAccessToken, ListedClient, RegistrationPolicy
from oauth_provider.registration.policy import current_policy
from oauth_provider.registration.save import remove_listed, save_listed, save_policy
from oauth_provider.registration.scopes import open_scopes
from oauth_provider.staff_api.fields import StrictModel
from oauth_provider.staff_api.reasons import required_reason
from oauth_provider.staff_api.views import GivenOnce, Writable


class PolicySerializer(StrictModel):
    """The rules for all clients that nobody of the staff made."""

    default_resource = ResourceField(required=False, allow_null=True, allow_blank=True, max_length=2000)
    scopes = serializers.SerializerMethodField(help_text="what they may ask for: see self_registration of scopes")

    class Meta:
        model = RegistrationPolicy
        fields = ("mode", "document_mode", "default_resource", "scopes", "unused_hours", "idle_days", "max_unused")

    def get_scopes(self, policy: RegistrationPolicy) -> list[str]:
        """Sorted by name."""
        del policy
        return sorted(open_scopes())


class PolicyView(Writable):
    """There is one, with its defaults before anybody changed it."""

    resource = "registration-policy"
    model = RegistrationPolicy
    serializer_class = PolicySerializer
    access_fields = frozenset({"mode", "document_mode"})

    def found(self, *, locked: bool = False) -> RegistrationPolicy:
        """The one there is, made of the defaults when it is going to be changed."""
        if not locked:
            return current_policy()
        RegistrationPolicy.objects.get_or_create(pk=RegistrationPolicy.SINGLETON)
        return RegistrationPolicy.objects.select_for_update().get(pk=RegistrationPolicy.SINGLETON)

    def change(self, row: RegistrationPolicy, values: dict[str, Any], reason: str) -> None:
        """Who comes in, what they call, when they are forgotten."""
        for name, value in values.items():
            setattr(row, name, "" if value is None else value)
        save_policy(policy=row, actor=self.actor, fields=values, note=reason)


class ListedSerializer(StrictModel):
    """A program decided about once and for all."""

    class Meta:
        model = ListedClient
        fields = ("id", "verdict", "named_by", "value", "note", "created_at")
        read_only_fields = ("created_at",)


class ListedView(Writable):
    """A block suspends whoever is here already; an entry less, and the policy judges again."""

    resource = "listed-clients"
    model = ListedClient
    serializer_class = ListedSerializer
    access_fields = frozenset({"verdict", "named_by", "value"})
    filters = {
        "verdict": lambda verdict: Q(verdict=verdict),
        "value": lambda value: Q(value=value),
    }

    def make(self, values: dict[str, Any]) -> ListedClient:
        """A new entry, which lets somebody in or shuts them out."""
        entry = ListedClient(**values)
        save_listed(entry=entry, actor=self.actor, fields=values, note=required_reason(self.request))
        return entry

    def change(self, row: ListedClient, values: dict[str, Any], reason: str) -> None:
        """The verdict, what it compares, or the note."""
        for name, value in values.items():
            setattr(row, name, value)
        save_listed(entry=row, actor=self.actor, fields=values, note=reason)

    def remove(self, row: ListedClient, reason: str) -> None:
        """Forget what was decided."""
        remove_listed(entry=row, actor=self.actor, note=reason)


class InvitationSerializer(StrictModel):
    """Lets a program register whatever the policy says (RFC 7591 section 3)."""

    fixed = frozenset({"name", "max_uses", "expires_at"})
    active = serializers.BooleanField(source="is_live", read_only=True)

    class Meta:
        model = InitialAccessToken
        fields: tuple[str, ...] = ("id", "name", "max_uses", "uses", "hint", "active", "created_at", "expires_at")
        read_only_fields = ("uses", "hint", "created_at")

    def validate_expires_at(self, value: datetime) -> datetime:
        """In the future, within a year.

        Raises:
            ValidationError: it is not.
        """
        now = timezone.now()
        if not now < value <= now + timedelta(days=MAX_INVITATION_DAYS):
            words = _("In the future, at most %(days)s days from now.")
            raise serializers.ValidationError(words % {"days": MAX_INVITATION_DAYS})
        return value


class NewInvitationSerializer(InvitationSerializer):
    """The answer to POST."""

    secret = serializers.CharField(read_only=True)

    class Meta(InvitationSerializer.Meta):
        fields = (*InvitationSerializer.Meta.fields, "secret")


@extend_schema_view(create=extend_schema(request=InvitationSerializer, responses={201: NewInvitationSerializer}))
class InvitationView(GivenOnce):
    """Made, and revoked for good; never changed."""

    resource = "invitations"
    model = InitialAccessToken
    serializer_class = InvitationSerializer
    http_method_names = ["get", "head", "post", "delete", "options"]

    def give(self, values: dict[str, Any]) -> tuple[InitialAccessToken, str]:
        """For a reason: it opens the door."""
        made = create_invitation(
            name=values["name"],
            max_uses=values.get("max_uses", 1),
            expires_at=values["expires_at"],
            actor=self.actor,
            note=required_reason(self.request),
        )
        return made.invitation, made.value

    def remove(self, row: InitialAccessToken, reason: str) -> None:
        """Refuse it from now on; what registered with it stays."""
        revoke_invitation(invitation=row, actor=self.actor, reason=reason)
