"""Clients in the admin: made from a preset, shown their setup sheet, suspended rather than deleted."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant

from oauth_provider.admin_skin import column, page_button
from oauth_provider.clients.create import create_client
from oauth_provider.clients.forms import ClientAddForm, ClientChangeForm
from oauth_provider.clients.models import Client, ClientSecret, Preset
from oauth_provider.clients.secrets import LIVE_SECRETS, SecretRefusedError, create_secret, retire_secret
from oauth_provider.clients.setup_sheet import awaits_callback, setup_sheet, steps
from oauth_provider.clients.suspend import resume_client, suspend_client
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, ask_reason
from oauth_provider.recorded_admin import About, RecordedAdmin

STATES = {
    "active": gettext_lazy("Active"),
    "waiting": gettext_lazy("Awaiting callback"),
    "suspended": gettext_lazy("Suspended"),
}


class StateFilter(admin.SimpleListFilter):
    """By whether a client can work."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ANN401, ARG002
        """The states."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Client]) -> QuerySet[Client]:  # noqa: ARG002
        """Clients in the chosen state."""
        waiting = Q(preset=Preset.GPT, redirect_uris="")
        chosen = {
            "active": Q(suspended_at=None) & ~waiting,
            "waiting": Q(suspended_at=None) & waiting,
            "suspended": Q(suspended_at__isnull=False),
        }.get(str(self.value()))
        return queryset.filter(chosen) if chosen is not None else queryset


class ClientAdmin(RecordedAdmin):
    """Registered through the setting APPLICATION_ADMIN_CLASS.

    Deletion is not offered. It would take the connections, tokens and secrets of the client along and leave
    their events pointing at nobody, without a way back. Suspending stops a client as completely and at once.
    """

    revisions = ("revocation",)
    list_display = ("name", "kind", "state", "people", "client_id", "created")
    list_filter = (StateFilter, "preset")
    search_fields = ("name", "client_id")
    search_help_text = gettext_lazy("Name or client id.")
    ordering = ("name",)
    readonly_fields = ("preset", "client_id", "secrecy", "trust", "created")
    conditional_fields = {
        "gpt": "typeof preset === 'undefined' || preset == 'gpt'",
        "redirect_uris": "typeof preset === 'undefined' || !['gpt', 'service'].includes(preset)",
    }
    change_form_before_template = "admin/clients/state.html"
    change_form_outer_after_template = "admin/clients/sheet_and_secrets.html"
    actions_detail = ("new_secret", "suspend", "resume")

    def about(self, obj: Client) -> About:
        """By its client id."""
        return {"target": f"client:{obj.client_id}", "client_id": obj.client_id}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Clients with the number of their live connections."""
        live = Count("connections", filter=Q(connections__revoked_at=None))
        clients: QuerySet[Client] = super().get_queryset(request).annotate(live_connections=live)
        return clients

    def get_fieldsets(self, request: HttpRequest, obj: Client | None = None) -> Any:  # noqa: ANN401, ARG002
        """A new client begins with what it is; an existing one with what may change."""
        scopes = ("allowed_scopes", "default_scopes", "default_resource")
        if obj is None:
            return ((None, {"fields": ("preset", "name", "gpt", "redirect_uris", *scopes)}),)
        addresses = {Preset.GPT: ("gpt", "redirect_uris"), Preset.SERVICE: ()}.get(
            Preset(obj.preset), ("redirect_uris",)
        )
        lifetimes = ("access_token_lifetime_s", "refresh_token_lifetime_s", "allow_json_token_requests")
        return (
            (None, {"fields": ("name", *addresses, *scopes, "reason")}),
            (_("What it is"), {"fields": self.readonly_fields}),
            (_("Technical details"), {"fields": lifetimes, "classes": ("collapse",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:  # noqa: ANN401, ARG002
        """What is fixed once the client is made."""
        return self.readonly_fields if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Client | None = None, change: bool = False, **kwargs: Any  # noqa: ANN401
    ) -> "type[ModelForm[Client]]":
        """One form to make a client, another to change it."""
        form = ClientChangeForm if obj else ClientAddForm
        made: type[ModelForm[Client]] = super().get_form(request, obj, change, **{"form": form, **kwargs})
        return made

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Client:  # noqa: ANN401
        """A new client is made by the verb, which also makes its secret and writes its events."""
        if change:
            changed: Client = super().save_form(request, form, change)
            return changed
        values = form.cleaned_data
        created = create_client(
            preset=values["preset"],
            name=values["name"],
            scopes=tuple(values["allowed_scopes"].split()),
            default_scopes=tuple(values["default_scopes"].split()),
            default_resource=values["default_resource"],
            redirect_uris=tuple(values["redirect_uris"].split()),
            actor=user_ref(request.user),
        )
        form.secret = created.secret
        return created.client

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:  # noqa: ANN401
        """Nothing is left to save of a new one."""
        if change:
            super().save_model(request, obj, form, change)
        else:
            # Only the answer to this one request may show it
            request.new_secret = form.secret  # type: ignore[attr-defined] - ours

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401
        """The verb has recorded a new one."""
        if change:
            super().save_related(request, form, formsets, change)

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        """The setup sheet instead of a redirect: the secret is in this answer and nowhere else."""
        return self._sheet(request, obj, secret=getattr(request, "new_secret", ""), title=_("Setup sheet"))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Add what stands around the form of an existing client."""
        client = kwargs.get("obj")
        if client is not None:
            context |= {
                "client": client,
                "awaits_callback": awaits_callback(client),
                "sheet": setup_sheet(client, secret=""),
                "steps": steps(client),
                "secrets": client.secrets.order_by("retired_at", "created_at"),
                "may_retire": self.has_change_permission(request, client) and _live(client) > 1,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:  # noqa: ANN401
        """Only the buttons that would do something."""
        client = self.get_object(request, str(object_id))
        if client is None or not self.has_change_permission(request, client):
            return []
        hidden = {"suspend" if client.is_suspended else "resume"}
        if not client.is_confidential or _live(client) >= LIVE_SECRETS:
            hidden.add("new_secret")
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [a for a in super().get_actions_detail(request, object_id) if a.action_name[len(prefix) :] not in hidden]

    def get_urls(self) -> list[URLPattern]:
        """The page that retires one secret, beside the pages of the buttons."""
        view = self.admin_site.admin_view(self.retire)
        retire = path("<path:object_id>/secrets/<int:secret_id>/retire/", view, name="oauth_provider_client_retire")
        return [retire, *super().get_urls()]

    @page_button(description=gettext_lazy("New secret"), path="new-secret", icon="key")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the client a second secret and show it once."""
        client = self._changeable(request, object_id)
        question = Question(
            title=_("New secret for %(name)s") % {"name": client.name},
            consequences=(
                _("The new secret is shown once, on the next page. The old one keeps working until you retire it."),
                _("Put the new one into the program, see that it is used, then retire the old one here."),
            ),
            button=_("Create secret"),
            back=_page(client),
            is_danger=False,
        )
        reason = ask_reason(self, request, question, is_answer=request.method == "POST")
        if not isinstance(reason, str):
            return reason
        try:
            secret = create_secret(client=client, actor=user_ref(request.user), note=reason)
        except SecretRefusedError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(_page(client))
        return self._sheet(request, client, secret=secret, title=_("New secret"))

    def retire(self, request: HttpRequest, object_id: str, secret_id: int) -> HttpResponse:
        """Stop accepting one of two secrets."""
        client = self._changeable(request, object_id)
        secret = ClientSecret.objects.filter(pk=secret_id, client=client, retired_at=None).first()
        if secret is None:
            raise Http404
        question = Question(
            title=_("Retire the secret that ends in %(hint)s?") % {"hint": secret.hint},
            consequences=(_("A program that still uses it is refused at once. It cannot be brought back."),),
            button=_("Retire secret"),
            back=_page(client),
        )
        reason = ask_reason(self, request, question, is_answer=request.method == "POST")
        if not isinstance(reason, str):
            return reason
        try:
            retire_secret(secret=secret, actor=user_ref(request.user), note=reason)
        except SecretRefusedError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The secret that ends in %(hint)s is retired.") % {"hint": secret.hint})
        return HttpResponseRedirect(_page(client))

    @page_button(
        description=gettext_lazy("Suspend"), path="suspend", icon="pause_circle", variant=ActionVariant.DANGER
    )
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop everything the client does."""
        client = self._changeable(request, object_id)
        question = Question(
            title=_("Suspend %(name)s?") % {"name": client.name},
            consequences=(
                _("Within a second nobody can sign in through it and every call it makes is refused."),
                _("What people allowed stays: when you resume it, it goes on where it was stopped."),
            ),
            button=_("Suspend"),
            back=_page(client),
        )
        reason = ask_reason(self, request, question, is_answer=request.method == "POST")
        if not isinstance(reason, str):
            return reason
        suspend_client(client=client, actor=user_ref(request.user), reason=reason)
        messages.success(request, _("%(name)s is suspended.") % {"name": client.name})
        return HttpResponseRedirect(_page(client))

    @page_button(
        description=gettext_lazy("Resume"), path="resume", icon="play_circle", variant=ActionVariant.PRIMARY
    )
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a suspended client go on."""
        client = self._changeable(request, object_id)
        question = Question(
            title=_("Resume %(name)s?") % {"name": client.name},
            consequences=(_("It can do again what people allowed it to do, from now on."),),
            button=_("Resume"),
            back=_page(client),
            is_danger=False,
        )
        reason = ask_reason(self, request, question, is_answer=request.method == "POST")
        if not isinstance(reason, str):
            return reason
        resume_client(client=client, actor=user_ref(request.user), reason=reason)
        messages.success(request, _("%(name)s goes on.") % {"name": client.name})
        return HttpResponseRedirect(_page(client))

    @column(description=gettext_lazy("kind"), ordering="preset")
    def kind(self, client: Client) -> str:
        """The preset in words."""
        return client.get_preset_display()

    @column(
        description=gettext_lazy("state"),
        label={
            str(STATES["active"]): "success",
            str(STATES["waiting"]): "warning",
            str(STATES["suspended"]): "danger",
        },
    )
    def state(self, client: Client) -> str:
        """Whether it can work."""
        if client.is_suspended:
            return str(STATES["suspended"])
        return str(STATES["waiting" if awaits_callback(client) else "active"])

    @column(description=gettext_lazy("connections"))
    def people(self, client: Client) -> int:
        """How many live connections it has."""
        return int(getattr(client, "live_connections", 0))

    @column(description=gettext_lazy("secret"))
    def secrecy(self, client: Client) -> str:
        """Whether it has a secret."""
        return _("Keeps a secret") if client.is_confidential else _("Has no secret")
