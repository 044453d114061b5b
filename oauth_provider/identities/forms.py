"""The forms of a person and of a role."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Case, Q, QuerySet, When
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import UserCreationForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from oauth_provider.identities.external_id import EXTERNAL_ID, LOCAL_PREFIX
from oauth_provider.identities.models import Identity
from oauth_provider.identities.provider.facts import SUBJECT_MAX
from oauth_provider.identities.provider.link import check_subject, subject_of
from oauth_provider.recorded_admin import ReasonedForm, RecordedAdmin

# What no page of the admin offers
ONLY_OVER_THE_API = ("delete_client", "delete_user")
DEEDS = {
    "view": gettext_lazy("see"),
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
}


def external_id_field(*, required: bool, help_text: Any) -> forms.CharField:  # noqa: ANN401 - lazy text
    """The field both forms have."""
    return forms.CharField(
        label=gettext_lazy("External id"),
        required=required,
        max_length=200,
        validators=[EXTERNAL_ID],
        widget=UnfoldAdminTextInputWidget,
        help_text=help_text,
    )


def check_external_id(value: str, *, user: User) -> str:
    """`value`, if no other user has it, or will have once it is needed.

    Raises:
        ValidationError: another user has it.
    """
    if value.startswith(LOCAL_PREFIX) and value != f"{LOCAL_PREFIX}{user.pk}":
        raise forms.ValidationError(_("Another user has this external id."))
    if value and Identity.objects.filter(external_id=value).exclude(user_id=user.pk).exists():
        raise forms.ValidationError(_("Another user has this external id."))
    return value


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic for the type checker only
    """Permissions in plain words, those only that our pages ask for."""

    def label_from_instance(self, permission: Permission) -> str:
        """Such as “Clients: see”."""
        model = permission.content_type.model_class()
        things = model._meta.verbose_name_plural if model else permission.content_type.name
        deed = DEEDS[permission.codename.partition("_")[0]]
        return f"{capfirst(things)}: {deed}"


def meaningful_permissions() -> QuerySet[Permission]:
    """Permissions that some page of the admin asks for, or the management API alone."""
    wanted = Q(content_type__app_label="oauth_provider", content_type__model="resource")
    wanted |= Q(codename__in=ONLY_OVER_THE_API)
    for model, page in admin.site._registry.items():  # noqa: SLF001 - Django has no public list
        deeds = page.granted if isinstance(page, RecordedAdmin) else ("view",)
        names = [f"{deed}_{model._meta.model_name}" for deed in deeds]
        wanted |= Q(content_type__app_label=model._meta.app_label, codename__in=names)
    in_order = Case(*(When(codename__startswith=f"{deed}_", then=place) for place, deed in enumerate(DEEDS)))
    found = Permission.objects.filter(wanted).select_related("content_type")
    return found.order_by("content_type__app_label", "content_type__model", in_order)


class UserAddForm(UserCreationForm):  # type: ignore[misc]  # unfold is untyped
    """A name, a password, and who the person is to the backends."""

    external_id = external_id_field(
        required=False,
        help_text=gettext_lazy("How your backends know the person. Empty: an id of our own."),
    )

    def clean_external_id(self) -> str:
        """Nobody else's."""
        return check_external_id(self.cleaned_data["external_id"], user=self.instance)

    def changed_names(self) -> list[str]:
        """Names of what was set, for the event."""
        return ["username", "password", "external_id"]


class UserForm(ReasonedForm):
    """A person; whether they are active and their password have pages of their own."""

    access_fields = frozenset({"external_id", "email_verified", "subject", "is_staff", "is_superuser", "groups"})

    external_id = external_id_field(
        required=True,
        help_text=gettext_lazy("How your backends know the person: X-User-Id of every call made for them."),
    )
    email_verified = forms.BooleanField(
        label=gettext_lazy("E-mail verified"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy(
            "On only when the address is proved to be theirs: applications may let people in by it. "
            "Changing the address switches it off."
        ),
    )

    subject = forms.CharField(
        label=gettext_lazy("Subject at the sign-in provider"),
        required=False,
        max_length=SUBJECT_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Whoever the provider calls so signs in as this person. Empty: nobody."),
    )

    class Meta:
        """What the form sets."""

        model = User
        fields = ("username", "first_name", "last_name", "email", "is_staff", "is_superuser", "groups")
        widgets = {"groups": UnfoldAdminCheckboxSelectMultipleWidget}
        labels = {"groups": gettext_lazy("Roles")}
        help_texts = {
            "groups": gettext_lazy("What they may do here, if they are staff."),
            "is_staff": gettext_lazy("May sign in to these pages."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        identity = Identity.objects.filter(user_id=self.instance.pk).first()
        self.initial["external_id"] = identity.external_id if identity else f"local:{self.instance.pk}"
        self.initial["email_verified"] = identity.email_verified if identity else False
        self.initial["subject"] = subject_of(self.instance)

    def clean_external_id(self) -> str:
        """Nobody else's."""
        return check_external_id(self.cleaned_data["external_id"], user=self.instance)

    def clean_subject(self) -> str:
        """Nobody else's."""
        return check_subject(self.cleaned_data["subject"], user=self.instance)

    def is_email_verified(self) -> bool:
        """As ticked, but for another address only when that is said in a second step."""
        return bool(self.cleaned_data.get("email_verified")) and "email" not in self.changed_data


class RoleForm(ReasonedForm):
    """A name and what its members may do."""

    access_fields = frozenset({"permissions"})

    permissions = PermissionsField(
        label=gettext_lazy("Its members may"),
        queryset=Permission.objects.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        """What the form sets."""

        model = Group
        fields = ("name", "permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("permissions"), PermissionsField):
            field.queryset = meaningful_permissions()
