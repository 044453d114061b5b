"""Staff tokens in the admin: made for oneself and shown once, revoked for good."""

from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from oauth_provider.admin_skin import ago, chip, code, column, page_button
from oauth_provider.reason_page import Question, act_with_reason
from oauth_provider.shown_once_admin import ShownOnceAdmin
from oauth_provider.staff_tokens.create import create_staff_token, revoke_staff_token
from oauth_provider.staff_tokens.models import StaffToken
from oauth_provider.staff_tokens.scopes import STAFF_SCOPES

MAX_DAYS = 366


class StaffTokenForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker only
    """What it is for, what it may do, and for how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The program that will use it."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may"),
        choices=[(name, name) for name in STAFF_SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("Never more than you may do yourself. What may be written may also be read."),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for, days"),
        initial=90,
        widget=UnfoldAdminIntegerFieldWidget,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)],
    )

    class Meta:
        """What the form sets."""

        model = StaffToken
        fields = ("name", "scopes")

    def clean_scopes(self) -> str:
        """As the model keeps them."""
        return " ".join(self.cleaned_data["scopes"])


@admin.register(StaffToken)
class StaffTokenAdmin(ShownOnceAdmin):
    """Everybody sees their own; superusers see and revoke all."""

    form = StaffTokenForm
    named = "staff_token"
    asked = ("name", "scopes", "days")
    shown_template = "admin/staff_tokens/token.html"
    list_display = ("name", "state", "may", "person", "used", "expires_at")
    search_fields = ("name", "user__username")
    search_help_text = gettext_lazy("Name.")
    nothing_yet = gettext_lazy("For your scripts at the management API, /api/manage/v1/.")
    list_select_related = ("user",)
    readonly_fields = ("name", "state", "may", "person", "hint", "used", "created_at", "expires_at")
    actions_detail = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffToken]:
        """One's own, unless one may see everything."""
        tokens: QuerySet[StaffToken] = super().get_queryset(request)
        return tokens if request.user.is_superuser else tokens.filter(user=request.user.pk or 0)

    def make(self, request: HttpRequest, values: dict[str, Any]) -> tuple[StaffToken, str]:
        """For whoever asks."""
        made = create_staff_token(
            user=request.user,  # type: ignore[arg-type]  # nobody else reaches this page
            name=values["name"],
            scopes=values["scopes"].split(),
            expires_at=timezone.now() + timedelta(days=values["days"]),
        )
        return made.token, made.value

    @page_button(description=gettext_lazy("Revoke"), path="revoke", icon="block", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse the token from now on."""
        token = self.changeable(request, object_id)
        question = Question(
            title=_("Revoke the token %(name)s?") % {"name": token.name},
            consequences=(_("A program that still uses it is refused at once. It cannot be brought back."),),
            button=_("Revoke"),
            done=_("The token %(name)s is revoked.") % {"name": token.name},
        )
        return act_with_reason(self, request, token, question, partial(revoke_staff_token, token=token))

    @column(description=gettext_lazy("It may"))
    def may(self, token: StaffToken) -> SafeString:
        """Names of its scopes."""
        return code(token.scopes)

    @column(description=gettext_lazy("acts as"), ordering="user__username")
    def person(self, token: StaffToken) -> str:
        """Whose token it is."""
        return token.user.get_username()

    @column(description=gettext_lazy("last used"), ordering="last_used_at")
    def used(self, token: StaffToken) -> SafeString | str:
        """How long ago."""
        return ago(token.last_used_at)

    @column(description=gettext_lazy("state"))
    def state(self, token: StaffToken) -> SafeString:
        """Whether it opens anything."""
        if token.revoked_at:
            return chip("danger", _("Revoked"))
        return chip("good", _("Live")) if token.is_live else chip("warn", _("Expired"))
