"""The admin as one place: who gets in, what is where, and its first page."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from audit.ledger.admin_log import record_admin_change
from audit.ledger.kinds import Kind
from gateway_project.admin_home import home
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.views import LogoutView

View = Callable[..., HttpResponseBase]


class Site(UnfoldAdminSite):  # type: ignore[misc]  # unfold is untyped
    """Everything registered with `admin.site`."""

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Refuse NUL in an address: no value of ours has one, and PostgreSQL fails on it."""
        inner: View = super().admin_view(view, cacheable)

        @wraps(inner)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if "\x00" in request.path or any("\x00" in "".join(pair) for pair in _pairs(request)):
                raise BadRequest("NUL in the address.")
            return inner(request, *args, **kwargs)

        return checked

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Staff sign in where everybody does: throttled, locked out after failures, recorded."""
        target = request.GET.get("next") or f"/{self.name}/"
        if request.user.is_authenticated:
            if self.has_permission(request):
                return HttpResponseRedirect(f"/{self.name}/")
            messages.error(request, _("This account is not one of the staff. Sign in with one that is."))
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': target})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        """Staff sign out where everybody does, which is recorded."""
        return LogoutView.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A new password of one's own, recorded."""
        with transaction.atomic():
            before = _password(request)
            page: HttpResponse = super().password_change(request, extra_context)
            if _password(request) != before:
                me = user_ref(request.user)
                record_admin_change(
                    kind=Kind.ADMIN_OBJECT_CHANGED, actor=me, user=me, target="user", fields=("password",)
                )
        return page

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Names of pages; a page of results that does not exist is not found.

        Raises:
            Http404: there is no such page of results.
        """
        try:
            found: HttpResponse = super().search(request, extra_context)
        except (InvalidPage, ValueError) as fault:
            raise Http404 from fault
        return found

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """What to do first, what needs a look, and what happened last."""
        page: HttpResponse = super().index(request, {**home(request), **(extra_context or {})})
        return page


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.GET.lists() for value in values]


def _password(request: HttpRequest) -> str:
    return str(getattr(request.user, "password", ""))
