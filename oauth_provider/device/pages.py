"""The pages of a person who connects a device: type its code, decide on the consent page, go back to the device."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.checks.check_ceiling import check_ceiling
from oauth_provider.authorize.checks.check_resource import check_resource
from oauth_provider.authorize.checks.check_scope import check_scope
from oauth_provider.authorize.checks.load_client import require_usable
from oauth_provider.authorize.errors import LocalError, RedirectError
from oauth_provider.authorize.pages import person_of, refuse_locally, show_consent
from oauth_provider.authorize.run import Acceptable, Answerable
from oauth_provider.device.codes import read_user_code, shown_user_code, user_code_digest
from oauth_provider.device.models import DeviceCode
from oauth_provider.device.notice import device_notice
from oauth_provider.device.start import asked_for_device
from oauth_provider.identities.external_id import user_ref
from oauth_provider.throttle import ThrottledError, record_refusal, refusal_page, spend

MAX_SHOWN = 16


@method_decorator(never_cache, name="dispatch")
@method_decorator(csrf_protect, name="dispatch")
class DevicePage(View):
    """RFC 8628 section 3.3. A code in the link only fills the field: the person looks at both and goes on herself."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Ask for the code."""
        if person_of(request) is None:
            return _to_sign_in(request)
        return _enter(request, typed=request.GET.get("user_code", ""))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Show the consent page of what has this code."""
        user = person_of(request)
        if user is None:
            return _to_sign_in(request)
        try:
            spend(request, rate="user_code")
            spend(request, rate="user_code", user_id=user.pk)
        except ThrottledError as refusal:
            record_refusal(refusal)
            return refusal_page(request, status=refusal.status, retry_after_s=refusal.retry_after_s)
        typed = request.POST.get("user_code", "")
        code = read_user_code(typed)
        device = _find(code)
        if device is None:
            _record_unknown(user)
            return _enter(request, typed=typed, is_unknown=True)
        try:
            acceptable = _examine(device, user)
        except LocalError as error:
            return refuse_locally(request, error)
        notice = device_notice(device, code=shown_user_code(code))
        return show_consent(request, acceptable, user, device=device, notice=notice)


def done(template: str) -> Callable[[HttpRequest], HttpResponse]:
    """The page after the decision: nothing on it depends on whose it was."""

    def page(request: HttpRequest) -> HttpResponse:
        return render(request, template)

    return page


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}")


def _enter(request: HttpRequest, *, typed: str, is_unknown: bool = False) -> HttpResponse:
    code = read_user_code(typed)
    context = {"typed": shown_user_code(code) if code else typed[:MAX_SHOWN], "is_unknown": is_unknown}
    return render(request, "device/enter.html", context, status=400 if is_unknown else 200)


def _find(code: str) -> DeviceCode | None:
    # One answer for unknown, expired and decided: a guess learns nothing
    pending = DeviceCode.objects.select_related("client", "resource").filter(
        user_code_digest=user_code_digest(code), decided_at=None, expires_at__gt=timezone.now()
    )
    return pending.first() if code else None


def _record_unknown(user: User) -> None:
    record(
        kind=Kind.OAUTH_DEVICE_REFUSED,
        user=user_ref(user),
        decision=Decision.DENY,
        reason="unknown_user_code",
        status=400,
    )


def _examine(device: DeviceCode, user: User) -> Acceptable:
    """Staff may have acted since the device asked.

    Raises:
        LocalError: the client or a permission is no longer offered.
    """
    client = device.client
    require_usable(client)
    message = _("This application may not be connected by a code.")
    if not client.device_grant_allowed:
        raise LocalError("device_grant_not_allowed", message=message, client_id=client.client_id, status=403)
    asked = asked_for_device(client, scope=device.scopes, resource=device.resource.identifier)
    try:
        resource, scopes = check_resource(asked, client), check_ceiling(check_scope(asked, client), user)
    except RedirectError as error:
        message = _("One of these permissions is no longer offered.")
        raise LocalError(error.reason, message=message, client_id=client.client_id) from error
    answerable = Answerable(request=asked, client=client, redirect_uri="")
    return Acceptable(answerable=answerable, resource=resource, scopes=scopes, max_age_s=None)
