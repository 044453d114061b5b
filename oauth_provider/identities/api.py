"""`users/`: people, and who they are to the backends."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelFault
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from oauth_provider.identities.ceiling import ceiling_of
from oauth_provider.identities.external_id import EXTERNAL_ID
from oauth_provider.identities.forms import check_external_id
from oauth_provider.identities.keep import change_user, create_user, remove_user
from oauth_provider.identities.provider.facts import SUBJECT_MAX
from oauth_provider.identities.provider.link import check_subject
from oauth_provider.scopes.models import Scope
from oauth_provider.staff_api.fields import ScopeNames, StrictModel
from oauth_provider.staff_api.views import Writable


class ExternalIdField(serializers.CharField):
    """How backends know the person; one without gets `local:<id>`."""

    def get_attribute(self, instance: User) -> str:
        """The id of whoever is shown."""
        identity = getattr(instance, "identity", None)
        return str(identity.external_id) if identity else f"local:{instance.pk}"


class CeilingField(ScopeNames):
    """What the person may ever give, whoever asks; null for any."""

    def get_attribute(self, instance: User) -> Any:  # noqa: ANN401 - the framework expects a list, which a text becomes
        """Of whoever is shown."""
        return ceiling_of(instance)


class UserSerializer(StrictModel):
    """A person."""

    external_id = ExternalIdField(max_length=200, required=False, validators=[EXTERNAL_ID])
    scopes = CeilingField(required=False, allow_null=True)
    # Who may sign in as this person at the company's provider; never shown, like a credential
    subject = serializers.CharField(max_length=SUBJECT_MAX, required=False, allow_blank=True, write_only=True)

    class Meta:
        model = User
        fields = ("id", "username", "email", "password", "external_id", "subject", "scopes", "is_active")
        extra_kwargs = {"password": {"write_only": True, "required": False, "trim_whitespace": False}}

    def validate_external_id(self, value: str) -> str:
        """Nobody else's."""
        return check_external_id(value, user=self.instance or User())

    def validate_subject(self, value: str) -> str:
        """Nobody else's."""
        return check_subject(value, user=self.instance or User())

    def validate_scopes(self, value: str | None) -> str | None:
        """Those there are, enabled or not.

        Raises:
            ValidationError: naming the others.
        """
        names = set((value or "").split())
        if unknown := names - set(Scope.objects.filter(name__in=names).values_list("name", flat=True)):
            raise serializers.ValidationError(_("Unknown: %(names)s") % {"names": ", ".join(sorted(unknown))})
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The password, in view of who it is for.

        Raises:
            ValidationError: it is too weak.
        """
        if "password" in attrs:
            known = {name: attrs.get(name, getattr(self.instance, name, "")) for name in ("username", "email")}
            try:
                validate_password(attrs["password"], User(**known))
            except ModelFault as fault:
                raise serializers.ValidationError({"password": fault.messages}) from fault
        return attrs


class UserView(Writable):
    """People; those who are staff are changed by superusers only, and nobody locks themselves out."""

    resource = "users"
    model = User
    serializer_class = UserSerializer
    counted = False
    filters = {
        "username": lambda username: Q(username=username),
        "external_id": lambda external_id: Q(identity__external_id=external_id),
    }
    access_fields = frozenset({"is_active", "password", "subject", "scopes"})

    def get_queryset(self) -> QuerySet[User]:
        """Users with their external ids."""
        return User.objects.select_related("identity")

    def make(self, values: dict[str, Any]) -> User:
        """A new person, who is not staff."""
        return create_user(values=values, actor=self.actor, note=self.reason)

    def change(self, row: User, values: dict[str, Any], reason: str) -> None:
        """Who they are, and whether they may sign in."""
        self._check_guard(row, locks_out="is_active" in values)
        change_user(user=row, values=values, actor=self.actor, note=reason)

    def remove(self, row: User, reason: str) -> None:
        """With everything that acts for them."""
        self._check_guard(row, locks_out=True)
        remove_user(user=row, actor=self.actor, note=reason)

    def _check_guard(self, user: User, *, locks_out: bool) -> None:
        me = self.request.user
        is_guarded = (user.is_staff or user.is_superuser) and not me.is_superuser
        if is_guarded or (locks_out and user.pk == me.pk):
            raise PermissionDenied
