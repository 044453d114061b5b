"""The pages: a list, one connection with its activity, and the page that ends it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from audit.connected_apps.cards import cards_of, live_connections, own_connections, past_connections
from audit.connected_apps.timeline import entries_of
from audit.ledger.queries import activity
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection

ACTIVITY_PER_PAGE = 25
PAST_SHOWN = 10


class SeeOther(HttpResponseRedirect):
    """303: whatever the method was, the next request is a GET (RFC 9110 section 15.4.4)."""

    status_code = 303


@never_cache
@login_required
@require_safe
def list_connections(request: HttpRequest) -> HttpResponse:
    """A card for each of the user's live connections, and a line for those that ended last."""
    user_id = _user_id(request)
    context = {
        "cards": cards_of(live_connections(user_id)),
        "past": cards_of(past_connections(user_id)[:PAST_SHOWN]),
    }
    return render(request, "connected_apps/list.html", context)


@never_cache
@login_required
@require_safe
def show_connection(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """One connection, live or past: what it may do and what it did. `before` is the cursor of an older page."""
    connection = _own_or_404(request, connection_id)
    try:
        page = activity(str(connection.pk), ACTIVITY_PER_PAGE, request.GET.get("before", ""))
    except ValueError as error:
        raise Http404 from error
    context = {
        "card": cards_of([connection])[0],
        "entries": entries_of(page.events),
        "older": page.older,
        "is_first_page": "before" not in request.GET,
    }
    return render(request, "connected_apps/detail.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """GET asks and changes nothing; POST ends the connection. Twice is the same as once."""
    connection = _own_or_404(request, connection_id)
    name = connection.client.name or connection.client.client_id
    if request.method == "POST":
        revoke_connection(connection=connection, actor=None, by="user", reason="")
        messages.success(request, _("%(app)s can no longer act for you.") % {"app": name})
        return SeeOther(reverse("connected_apps:list"))
    if connection.revoked_at is not None:
        messages.info(request, _("%(app)s was already stopped.") % {"app": name})
        return SeeOther(reverse("connected_apps:list"))
    return render(request, "connected_apps/revoke.html", {"card": cards_of([connection])[0]})


def _user_id(request: HttpRequest) -> int:
    user = request.user
    # login_required let nobody else through
    return int(user.pk or 0)


def _own_or_404(request: HttpRequest, connection_id: UUID) -> Connection:
    """Another user's connection is as absent as one that never was."""
    connection = own_connections(_user_id(request)).filter(pk=connection_id).first()
    if connection is None:
        raise Http404
    return connection
