"""Clients in the admin: made from a preset, shown their setup sheet, suspended rather than deleted."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.ledger.queries import clients_last_used
from oauth_provider.admin_skin import Tone, ago, chip, code, column
from oauth_provider.clients.buttons import ClientButtons
from oauth_provider.clients.create import create_client
from oauth_provider.clients.forms import ClientAddForm, ClientChangeForm
from oauth_provider.clients.models import Client, Preset
from oauth_provider.clients.setup_sheet import awaits_callback
from oauth_provider.identities.external_id import user_ref
from oauth_provider.shown_once import keep

STATES = {
    "active": gettext_lazy("Active"),
    "waiting": gettext_lazy("Awaiting callback"),
    "suspended": gettext_lazy("Suspended"),
}
TONES: dict[str, Tone] = {"active": "good", "waiting": "warn", "suspended": "danger"}


class StateFilter(admin.SimpleListFilter):
    """By whether a client can work."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Client]) -> QuerySet[Client]:
        """Clients in the chosen state."""
        waiting = Q(preset=Preset.GPT, redirect_uris="")
        chosen = {
            "active": Q(suspended_at=None) & ~waiting,
            "waiting": Q(suspended_at=None) & waiting,
            "suspended": Q(suspended_at__isnull=False),
        }.get(str(self.value()))
        return queryset.filter(chosen) if chosen is not None else queryset


class ClientAdmin(ClientButtons):
    """The page of a client, however it came to be; `registration.client_admin` adds what concerns those by themselves.

    Deletion is not offered. It would take the connections, tokens and secrets of the client along and leave
    their events pointing at nobody, without a way back. Suspending stops a client as completely and at once.
    """

    revisions = ("revocation",)
    list_display: tuple[str, ...] = ("name", "kind", "state", "people", "last_call", "identifier")
    list_filter: tuple[Any, ...] = (StateFilter, "preset")
    search_fields = ("name", "client_id")
    search_help_text = gettext_lazy("Name or client id.")
    ordering = ("name",)
    readonly_fields = ("kind", "identifier", "secrecy", "trust", "made")
    conditional_fields = {
        "gpt": "typeof preset === 'undefined' || preset == 'gpt'",
        "redirect_uris": "typeof preset === 'undefined' || !['gpt', 'service'].includes(preset)",
        "default_scopes": "typeof preset === 'undefined' || preset != 'service'",
    }
    change_form_outer_before_template = "admin/clients/state.html"
    change_form_outer_after_template = "admin/clients/secrets.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Clients with the number of their live connections."""
        live = Count("connections", filter=Q(connections__revoked_at=None))
        clients: QuerySet[Client] = super().get_queryset(request).annotate(live_connections=live)
        return clients

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, its rows with the moment of their last call."""
        changelist = super().get_changelist_instance(request)
        used = clients_last_used(client.client_id for client in changelist.result_list)
        for client in changelist.result_list:
            client.last_called_at = used.get(client.client_id)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Client | None = None) -> Any:
        """A new client begins with what it is; an existing one with what may change."""
        scopes: tuple[str, ...] = ("allowed_scopes", "default_scopes", "default_resource")
        if obj is None:
            words = _(
                "Claude, ChatGPT apps, Cursor and VS Code come by themselves if the registration policy lets them. "
                "Make a client here for a GPT, for a service, or for a client id that stays the same."
            )
            return ((None, {"fields": ("preset", "name", "gpt", "redirect_uris", *scopes), "description": words}),)
        addresses = {Preset.GPT: ("gpt", "redirect_uris"), Preset.SERVICE: ()}.get(
            Preset(obj.preset), ("redirect_uris",)
        )
        if obj.preset == Preset.SERVICE:
            scopes = ("allowed_scopes", "default_resource")
        technical: tuple[str, ...] = (
            "access_token_lifetime_s",
            "refresh_token_lifetime_s",
            "refresh_token_absolute_lifetime_s",
            "allow_json_token_requests",
        )
        if obj.preset != Preset.SERVICE:
            technical += ("device_grant_allowed",)
        if obj.is_confidential:
            technical += ("may_exchange_tokens", "exchanges_for", "introspects")
        proof = ("token_endpoint_auth_method", "jwks", "jwks_uri")
        keys = ((_("Its own key"), {"fields": proof, "classes": ("collapse",)}),) if obj.is_confidential else ()
        return (
            (None, {"fields": ("name", *addresses, *scopes, "reason")}),
            (_("What it is"), {"fields": self.readonly_fields}),
            *keys,
            (_("Technical details"), {"fields": technical, "classes": ("collapse",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Client | None = None) -> Any:
        """What is fixed once the client is made."""
        return self.readonly_fields if obj else ()

    def get_form(
        self,
        request: HttpRequest,
        obj: Client | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        """One form to make a client, another to change it."""
        form = ClientChangeForm if obj else ClientAddForm
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Client:
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
        if created.secret:
            keep(request, name=f"client:{created.client.pk}", secret=created.secret)
        return created.client

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        """Nothing is left to save of a new one."""
        if change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The verb has recorded a new one."""
        if change:
            super().save_related(request, form, formsets, change)

    def response_add(self, request: HttpRequest, obj: Client, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the setup sheet, which shows the secret this once."""
        return HttpResponseRedirect(self.sheet_of(obj))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add what stands around the form of an existing client."""
        client = kwargs.get("obj")
        if client is not None:
            live = client.secrets.filter(retired_at=None).count()
            context |= {
                "client": client,
                "awaits_callback": awaits_callback(client),
                "sheet_url": self.sheet_of(client),
                "secrets": client.secrets.order_by("retired_at", "created_at"),
                "may_retire": self.has_change_permission(request, client) and live > 1,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """The page that retires one secret, beside the pages of the buttons."""
        view = self.admin_site.admin_view(self.retire)
        retire = path("<path:object_id>/secrets/<int:secret_id>/retire/", view, name="oauth_provider_client_retire")
        return [retire, *super().get_urls()]

    @column(description=gettext_lazy("kind"), ordering="preset")
    def kind(self, client: Client) -> str:
        """The preset in words."""
        return client.get_preset_display()

    @column(description=gettext_lazy("state"))
    def state(self, client: Client) -> SafeString:
        """Whether it can work."""
        waiting = "waiting" if awaits_callback(client) else "active"
        state = "suspended" if client.is_suspended else waiting
        return chip(TONES[state], STATES[state])

    @column(description=gettext_lazy("client id"), ordering="client_id")
    def identifier(self, client: Client) -> SafeString:
        """What the client calls itself."""
        return code(client.client_id)

    @column(description=gettext_lazy("connected people"), ordering="live_connections")
    def people(self, client: Client) -> int:
        """How many live connections it has."""
        return int(getattr(client, "live_connections", 0))

    @column(description=gettext_lazy("last call"))
    def last_call(self, client: Client) -> SafeString | str:
        """When it last called an API."""
        return ago(getattr(client, "last_called_at", None))

    @column(description=gettext_lazy("created at"), ordering="created")
    def made(self, client: Client) -> str:
        """When it was made."""
        return date_format(localtime(client.created), "DATETIME_FORMAT")

    @column(description=gettext_lazy("secret"))
    def secrecy(self, client: Client) -> str:
        """Whether it has a secret."""
        if client.token_endpoint_auth_method:
            return _("Signs with its own key")
        return _("Keeps a secret") if client.is_confidential else _("Has no secret")
