"""The consent page and the page that says why there is none, whichever road leads to them."""

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from audit.ledger.events import UserRef
from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.allow import operation_of, shown
from oauth_provider.authorize.errors import LocalError
from oauth_provider.authorize.held import held_connection
from oauth_provider.authorize.interactions import open_interaction
from oauth_provider.authorize.presentation import platform_name, present
from oauth_provider.authorize.redirects import form_action_sources
from oauth_provider.authorize.run import Acceptable
from oauth_provider.device.models import DeviceCode
from oauth_provider.device.notice import DeviceNotice
from oauth_provider.identities.external_id import user_ref


def person_of(request: HttpRequest) -> User | None:
    """Who is signed in and may be."""
    user = request.user
    return user if user.is_authenticated and user.is_active else None


def person_ref(request: HttpRequest) -> UserRef | None:
    """The same, as events name them."""
    user = person_of(request)
    return None if user is None else user_ref(user)


def show_consent(
    request: HttpRequest,
    acceptable: Acceptable,
    user: User,
    *,
    device: DeviceCode | None = None,
    notice: DeviceNotice | None = None,
) -> HttpResponseBase:
    """Open an interaction and show it; `device` and `notice` when it is a device that asks."""
    answerable = acceptable.answerable
    held = held_connection(
        user=user, client=answerable.client, resource=acceptable.resource, redirect_uri=answerable.redirect_uri
    )
    page = present(acceptable, held, notice)
    interaction = open_interaction(
        acceptable=acceptable,
        user=user,
        session=request.session,
        shown_digest=page.digest,
        shown_locale=page.locale,
        device=device,
    )
    record(
        kind=Kind.OAUTH_AUTHORIZATION_SHOWN,
        user=user_ref(user),
        client_id=answerable.client.client_id,
        operation=operation_of(interaction),
        decision=Decision.ALLOW,
        scopes_required=interaction.scopes,
        audience=acceptable.resource.identifier,
        note=shown(interaction),
    )
    context = {"page": page, "interaction": interaction.pk, "here": request.get_full_path()}

    # Browsers apply form-action to the redirect that answers a form, so the client's origin must be in it.
    @csp_replace({"form-action": [SELF, *form_action_sources(answerable.redirect_uri)]})
    def consent(request: HttpRequest) -> HttpResponse:
        return render(request, "authorize/consent.html", context)

    return consent(request)


def refuse_locally(request: HttpRequest, error: LocalError) -> HttpResponseBase:
    """Say why, and record it."""
    record(
        kind=Kind.OAUTH_AUTHORIZATION_REFUSED,
        user=person_ref(request),
        client_id=error.client_id,
        decision=Decision.DENY,
        reason=error.reason,
        status=error.status,
    )
    context = {"error": error, "platform": platform_name()}
    return render(request, "authorize/error.html", context, status=error.status)
