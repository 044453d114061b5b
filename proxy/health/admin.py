"""The page that says whether the backends are there, and checks them when it is asked to."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from oauth_provider.admin_skin import ago, chip
from oauth_provider.recorded_admin import ReadOnlyAdmin
from proxy.catalogue.models import Backend
from proxy.catalogue.tls import facts
from proxy.health.check import check_backends
from proxy.health.faults import fault_words
from proxy.health.models import BackendCheck
from proxy.upstream.probe import FAILED
from proxy.upstream.standing import Standing

TEMPLATE = "admin/backends/health.html"
SERVER_ERROR = 500
# A certificate that ends within this time is named
ENDS_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One backend on the page."""

    backend: Backend
    check: BackendCheck | None
    found: SafeString
    advice: str
    checked: SafeString | str
    calls: SafeString
    usual_ms: float
    in_use: int
    kept: int
    fault: str
    fault_at: SafeString | str
    expires: datetime | None


@admin.register(BackendCheck)
class BackendCheckAdmin(ReadOnlyAdmin):
    """A page of its own in place of the list: a backend that was never checked is on it too."""

    granted = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who see the backends."""
        return request.user.has_perm("proxy.view_backend")

    def may_act(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who say where they lead."""
        return request.user.has_perm("proxy.change_backend")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Every backend, or the one that the address names; a POST checks one, or all that are enabled."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = request.GET.get("backend", "")
        if request.method == "POST":
            if not self.may_act(request):
                raise PermissionDenied
            check_backends(backends=_asked_for(request.POST))
            return HttpResponseRedirect(request.get_full_path())
        backends = _named(name) if name else Backend.objects.select_related("last_check")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Health of %(name)s") % {"name": name} if name else _("Health of the backends"),
            "opts": self.opts,
            "rows": [_row(backend, _standing(request, backend)) for backend in backends],
            "is_one": bool(name),
            "may_check": self.may_act(request),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _asked_for(given: QueryDict) -> list[Backend]:
    name = given.get("backend", "")
    return list(_named(name) if name else Backend.objects.filter(enabled=True))


def _named(name: str) -> QuerySet[Backend]:
    found: QuerySet[Backend] = Backend.objects.select_related("last_check").filter(name=name.replace("\0", ""))
    if not found:
        raise Http404
    return found


def _standing(request: HttpRequest, backend: Backend) -> Standing:
    # Set where the process takes requests in; absent when Django serves alone
    standing_of = getattr(request, "scope", {}).get("state", {}).get("standing_of")
    found = standing_of(backend.name, backend.upstream_url) if standing_of else Standing()
    return found if isinstance(found, Standing) else Standing()


def _row(backend: Backend, standing: Standing) -> Row:
    check: BackendCheck | None = getattr(backend, "last_check", None)
    ends = [each.expires_at for each in facts(backend.tls_client_certificate)[:1] + facts(backend.tls_ca)]
    fault, fault_at = _fault(standing)
    return Row(
        backend=backend,
        check=check,
        found=_found(backend, check),
        advice=_advice(check),
        checked=ago(check.checked_at if check else None),
        calls=_calls(standing),
        usual_ms=standing.usual_ms,
        in_use=standing.in_use,
        kept=standing.kept,
        fault=fault,
        fault_at=fault_at,
        expires=min(ends) if ends and min(ends) <= timezone.now() + ENDS_SOON else None,
    )


def _advice(check: BackendCheck | None) -> str:
    if check is None or not check.advice:
        return ""
    return _(FAILED) % {"status": check.status} if check.status >= SERVER_ERROR else _(check.advice)


def _fault(standing: Standing) -> tuple[str, SafeString | str]:
    if standing.token_fault:
        error = f" ({standing.token_error})" if standing.token_error else ""
        return fault_words(standing.token_fault) + error, ""
    fault = standing.breaker.last_fault if standing.breaker else None
    if fault is None:
        return "", ""
    return fault_words(fault.reason), ago(datetime.fromtimestamp(fault.at, tz=UTC))


def _found(backend: Backend, check: BackendCheck | None) -> SafeString:
    if not backend.enabled:
        return chip("plain", _("Disabled"))
    if check is None:
        return chip("plain", _("Not checked yet"))
    if not check.reachable:
        return chip("danger", _("Not reachable"))
    return chip("warn" if check.status >= SERVER_ERROR else "good", _("Answers %(status)s") % {"status": check.status})


def _calls(standing: Standing) -> SafeString:
    if standing.token_fault:
        return chip("danger", _("No token"))
    if standing.breaker is None:
        return chip("plain", _("No call yet"))
    if standing.breaker.is_open:
        seconds = {"seconds": round(standing.breaker.opens_in_s)}
        return chip("danger", _("Left alone for %(seconds)s s") % seconds)
    return chip("good", _("Called"))
