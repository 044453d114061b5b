"""What staff do to one client beside editing it: read its setup sheet, replace its secret, stop it, let it go on."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant

from oauth_provider.admin_skin import page_button
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.clients.secrets import LIVE_SECRETS, SecretRefusedError, create_secret, live_secrets, retire_secret
from oauth_provider.clients.setup_sheet import awaits_callback, setup_sheet, steps
from oauth_provider.clients.suspend import resume_client, suspend_client
from oauth_provider.identities.external_id import user_ref
from oauth_provider.reason_page import Question, act_with_reason, ask_reason
from oauth_provider.recorded_admin import About, RecordedAdmin
from oauth_provider.shown_once import keep, take


class ClientButtons(RecordedAdmin):
    """The buttons above a client's page and the pages behind them."""

    actions_detail: tuple[str, ...] = ("sheet", "new_secret", "suspend", "resume")

    def about(self, obj: Client) -> About:
        """By its client id."""
        return {"target": f"client:{obj.client_id}", "client_id": obj.client_id}

    def history_term(self, obj: Client) -> str:
        """Everything it did and everything done to it."""
        return obj.client_id

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:  # noqa: ANN401
        """Only the buttons that would do something."""
        client = self.look_up(request, object_id)
        if client is None:
            return []
        hidden = {"suspend" if client.is_suspended else "resume"}
        if not self.may_act(request, client):
            hidden = {"new_secret", "suspend", "resume"}
        elif not client.is_confidential or live_secrets(client=client) >= LIVE_SECRETS:
            hidden.add("new_secret")
        return self.buttons_but(hidden, super().get_actions_detail(request, object_id))

    def sheet_of(self, client: Client) -> str:
        """The address of its setup sheet."""
        return reverse("admin:oauth_provider_client_sheet", args=[client.pk])

    @page_button(description=gettext_lazy("Setup sheet"), path="sheet", icon="assignment")
    def sheet(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everything to copy to the other side; a secret that was just made is shown this once.

        Raises:
            Http404: there is no such client.
            PermissionDenied: this member of staff may not see clients.
        """
        client = self.look_up(request, object_id)
        if client is None:
            raise Http404
        if not self.has_view_permission(request, client):
            raise PermissionDenied
        secret = take(request, name=f"client:{client.pk}") if self.may_act(request, client) else ""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Setup sheet"),
            "opts": self.opts,
            "original": client,
            "client": client,
            "back": self.page_of(client),
            "lines": setup_sheet(client, secret=secret),
            "steps": steps(client),
            "secret_is_shown": bool(secret),
            "awaits_callback": awaits_callback(client),
        }
        response = TemplateResponse(request, "admin/clients/sheet.html", context)
        patch_cache_control(response, no_store=True, private=True)
        return response

    @page_button(description=gettext_lazy("New secret"), path="new-secret", icon="key")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the client a second secret and show it once."""
        client = self.changeable(request, object_id)
        question = Question(
            title=_("New secret for %(name)s") % {"name": client.name},
            consequences=(
                _("The new secret is shown once, on the next page. The old one keeps working until you retire it."),
                _("Put the new one into the program, see that it is used, then retire the old one here."),
            ),
            button=_("Create secret"),
            is_danger=False,
        )

        def act(reason: str) -> str:
            secret = create_secret(client=client, actor=user_ref(request.user), note=reason)
            keep(request, name=f"client:{client.pk}", secret=secret)
            return self.sheet_of(client)

        return self._act(request, client, question, act)

    def retire(self, request: HttpRequest, object_id: str, secret_id: int) -> HttpResponse:
        """Stop accepting one of two secrets.

        Raises:
            Http404: the client has no such live secret.
        """
        client = self.changeable(request, object_id)
        secret = ClientSecret.objects.filter(pk=secret_id, client=client, retired_at=None).first()
        if secret is None:
            raise Http404
        question = Question(
            title=_("Retire the secret that ends in %(hint)s?") % {"hint": secret.hint},
            consequences=(_("A program that still uses it is refused at once. It cannot be brought back."),),
            button=_("Retire secret"),
        )

        def act(reason: str) -> str:
            retire_secret(secret=secret, actor=user_ref(request.user), note=reason)
            messages.success(request, _("The secret that ends in %(hint)s is retired.") % {"hint": secret.hint})
            return self.page_of(client)

        return self._act(request, client, question, act)

    @page_button(description=gettext_lazy("Suspend"), path="suspend", icon="pause_circle", variant=ActionVariant.DANGER)
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop everything the client does."""
        client = self.changeable(request, object_id)
        question = Question(
            title=_("Suspend %(name)s?") % {"name": client.name},
            consequences=(
                _("Within a second nobody can sign in through it and every call it makes is refused."),
                _("What people allowed stays: when you resume it, it goes on where it was stopped."),
            ),
            button=_("Suspend"),
            done=_("%(name)s is suspended.") % {"name": client.name},
        )
        return act_with_reason(self, request, client, question, partial(suspend_client, client=client))

    @page_button(description=gettext_lazy("Resume"), path="resume", icon="play_circle", variant=ActionVariant.PRIMARY)
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a suspended client go on."""
        client = self.changeable(request, object_id)
        question = Question(
            title=_("Resume %(name)s?") % {"name": client.name},
            consequences=(_("It can do again what people allowed it to do, from now on."),),
            button=_("Resume"),
            done=_("%(name)s goes on.") % {"name": client.name},
            is_danger=False,
        )
        return act_with_reason(self, request, client, question, partial(resume_client, client=client))

    def _act(self, request: HttpRequest, client: Client, question: Question, act: Callable[[str], str]) -> HttpResponse:
        reason = ask_reason(self, request, client, question)
        if not isinstance(reason, str):
            return reason
        try:
            following = act(reason)
        except SecretRefusedError as refusal:
            messages.error(request, str(refusal))
            following = self.page_of(client)
        return HttpResponseRedirect(following)
