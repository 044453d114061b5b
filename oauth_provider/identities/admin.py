"""People and roles in the admin: who signs in, who they are to the backends, and what staff may do here."""

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as LibraryUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm

from audit.ledger.kinds import Kind
from oauth_provider.admin_skin import ago, chip, code, column, page_button
from oauth_provider.identities.ceiling import ceiling_of
from oauth_provider.identities.deactivate import deactivate_user, reactivate_user
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.forms import RoleForm, UserAddForm, UserForm
from oauth_provider.identities.models import Identity, Stopped
from oauth_provider.identities.provider.link import link_subject
from oauth_provider.reason_page import Question, act_with_reason
from oauth_provider.recorded_admin import About, RecordedAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(LibraryUserAdmin, RecordedAdmin):  # type: ignore[misc,type-arg]  # unfold is untyped
    """Only superusers decide who is staff, and only they touch one who is."""

    form = UserForm
    add_form = UserAddForm
    change_password_form = AdminPasswordChangeForm
    revisions = ("revocation",)
    granted = ("view", "add", "change")
    list_display = ("username", "external", "email", "state", "role", "live_connections", "signed_in")
    list_filter = ("is_active", "is_staff")
    list_select_related = ("identity",)
    search_fields = ("username", "first_name", "last_name", "email", "identity__external_id")
    search_help_text = gettext_lazy("User name, name, e-mail or external id.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "external_id",
                    "first_name",
                    "last_name",
                    "email",
                    "email_verified",
                    "may_give",
                    "state",
                )
            },
        ),
        (gettext_lazy("Work on these pages"), {"fields": ("is_staff", "is_superuser", "groups")}),
        (None, {"fields": ("reason", "signed_in", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "external_id", "password1", "password2")}),)
    readonly_fields = ("may_give", "state", "signed_in", "date_joined")
    filter_horizontal = ()
    actions_detail = ("set_password", "deactivate", "reactivate")

    def about(self, obj: User) -> About:
        """By the pseudonym the ledger has for them."""
        return {"target": "user", "user": user_ref(obj)}

    def history_term(self, obj: User) -> str:
        """Everything they did and everything done for them."""
        return user_ref(obj).external_id

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """With the link to the company's identity provider, where there is one."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not settings.SIGN_IN_ISSUER:
            return fieldsets
        return (*fieldsets[:1], (gettext_lazy("Sign-in provider"), {"fields": ("subject",)}), *fieldsets[1:])

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users with the number of their live connections."""
        live = Count("connections", filter=Q(connections__revoked_at=None))
        users: QuerySet[User] = super().get_queryset(request).annotate(live=live)
        return users

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Whoever could make themselves a superuser would be one."""
        if obj is None:
            return ()
        staff_fields = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups")
        return (*self.readonly_fields, *staff_fields)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff accounts belong to superusers."""
        is_guarded = obj is not None and (obj.is_staff or obj.is_superuser)
        return bool(super().has_change_permission(request, obj)) and (request.user.is_superuser or not is_guarded)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep the external id and what is known of the e-mail address, then record."""
        if external_id := form.cleaned_data.get("external_id"):
            known = {"email_verified": form.is_email_verified()} if isinstance(form, UserForm) else {}
            Identity.objects.update_or_create(user=form.instance, defaults={"external_id": external_id, **known})
        if "subject" in form.changed_data:
            link_subject(user=form.instance, subject=form.cleaned_data["subject"])
        super().save_related(request, form, formsets, change)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what would do something; nobody locks themselves out."""
        user = self.look_up(request, object_id)
        if user is None or not self.may_act(request, user):
            return []
        hidden = (
            {"deactivate", "reactivate"} if user == request.user else {"reactivate" if user.is_active else "deactivate"}
        )
        return self.buttons_but(hidden, super().get_actions_detail(request, object_id))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's signature
        """The library's page; what it did is recorded."""
        with transaction.atomic():
            user = self.changeable(request, id)
            response: HttpResponse = super().user_change_password(request, id, form_url)
            if User.objects.filter(pk=user.pk).exclude(password=user.password).exists():
                self.tell(request, user, kind=Kind.ADMIN_OBJECT_CHANGED, fields=("password",))
        return response

    @page_button(description=gettext_lazy("Set password"), path="password", icon="password")
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button that leads to the library's page."""
        return self.user_change_password(request, object_id)

    @page_button(
        description=gettext_lazy("Deactivate"), path="deactivate", icon="person_off", variant=ActionVariant.DANGER
    )
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop everything that acts for the person.

        Raises:
            PermissionDenied: it would lock out whoever asks for it.
        """
        user = self.changeable(request, object_id)
        if user == request.user:
            raise PermissionDenied
        question = Question(
            title=_("Deactivate %(name)s?") % {"name": user.get_username()},
            consequences=(
                _("Within a second every application that acts for them is refused, and they cannot sign in."),
                _("What they allowed stays: when you reactivate them, it goes on."),
            ),
            button=_("Deactivate"),
            done=_("%(name)s is deactivated.") % {"name": user.get_username()},
        )
        return act_with_reason(self, request, user, question, partial(deactivate_user, user=user))

    @page_button(
        description=gettext_lazy("Reactivate"), path="reactivate", icon="person_check", variant=ActionVariant.PRIMARY
    )
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the person, and what acts for them, go on."""
        user = self.changeable(request, object_id)
        question = Question(
            title=_("Reactivate %(name)s?") % {"name": user.get_username()},
            consequences=(_("They can sign in again, and what they allowed acts for them again."),),
            button=_("Reactivate"),
            done=_("%(name)s is active again.") % {"name": user.get_username()},
            is_danger=False,
        )
        return act_with_reason(self, request, user, question, partial(reactivate_user, user=user))

    @column(description=gettext_lazy("external id"), ordering="identity__external_id")
    def external(self, user: User) -> str:
        """Who they are to the backends."""
        identity = getattr(user, "identity", None)
        return str(identity.external_id) if identity else "–"

    @column(description=gettext_lazy("may allow at most"))
    def may_give(self, user: User) -> SafeString | str:
        """The ceiling of what they give, set over the management API."""
        ceiling = ceiling_of(user)
        if ceiling is None:
            return _("Whatever is asked")
        return code(ceiling) if ceiling else _("No permission")

    @column(description=gettext_lazy("state"), ordering="is_active")
    def state(self, user: User) -> SafeString:
        """Whether they can sign in."""
        if user.is_active:
            return chip("good", _("Active"))
        stopped: dict[str, str] = {
            Stopped.BANNED: _("Blocked at the sign-in provider"),
            Stopped.DELETED: _("Deleted at the sign-in provider"),
        }
        identity = getattr(user, "identity", None)
        return chip("danger", stopped.get(identity.stopped if identity else "", _("Deactivated")))

    @column(description=gettext_lazy("role"), ordering="is_staff")
    def role(self, user: User) -> str:
        """What they are here."""
        if user.is_superuser:
            return _("Superuser")
        return _("Staff") if user.is_staff else _("Person")

    @column(description=gettext_lazy("last sign-in"), ordering="last_login")
    def signed_in(self, user: User) -> SafeString | str:
        """How long ago."""
        return ago(user.last_login)

    @column(description=gettext_lazy("connections"), ordering="live")
    def live_connections(self, user: User) -> int:
        """How many applications act for them."""
        return int(getattr(user, "live", 0))


@admin.register(Group)
class RoleAdmin(RecordedAdmin):
    """What a member of staff may do here; superusers alone decide it."""

    form = RoleForm
    granted = ()
    list_display = ("name", "members")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name.")

    def about(self, obj: Group) -> About:
        """By its name."""
        return {"target": f"role:{obj.name}"}

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """A new one needs no reason."""
        return ("name", "permissions", "reason") if obj else ("name", "permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Roles with the number of their members."""
        roles: QuerySet[Group] = super().get_queryset(request).annotate(count=Count("user"))
        return roles

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers."""
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers."""
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers."""
        return request.user.is_superuser

    @column(description=gettext_lazy("members"), ordering="count")
    def members(self, role: Group) -> int:
        """How many have it."""
        return int(getattr(role, "count", 0))
