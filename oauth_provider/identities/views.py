"""Sign in and sign out."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.sign_out import sign_out_url
from oauth_provider.identities.signed_in import demanded, keep_pending, pending
from oauth_provider.throttle import RateExceededError, refusal_page, throttled

SECONDS_PER_HOUR = 3600
USERNAME_MAX = 150
# What the provider is told as well
_PASSED_ON = ("next", "login_hint", "ui_locales")


@method_decorator(throttled("signin", methods=("POST",)), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class LoginView(auth_views.LoginView):
    """The sign-in page; Django rotates the session and accepts only a ``next`` on this host."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = False

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """The page; straight to the provider where there is no other way in and somebody waits to go on."""
        if not settings.SIGN_IN_PASSWORDS and self._is_awaited(request.GET.get("next", "")):
            return HttpResponseRedirect(self._provider_url())
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: str, **kwargs: Any) -> HttpResponse:
        """Compare a password, where passwords are on."""
        if not settings.SIGN_IN_PASSWORDS:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page offers."""
        company = Company.configured()
        return super().get_context_data(**kwargs) | {
            "company": company,
            "provider_url": self._provider_url() if company else "",
            "has_passwords": settings.SIGN_IN_PASSWORDS,
        }

    def get_initial(self) -> dict[str, Any]:
        """Prefill whom the client expects (`login_hint`), else who is to confirm that it is still her."""
        hint = self.request.GET.get("login_hint", "").replace("\x00", "")
        return super().get_initial() | {"username": (hint or self.request.user.get_username())[:USERNAME_MAX]}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign the person in and record it."""
        asked = pending(self.request.session)
        response = super().form_valid(form)
        keep_pending(self.request.session, asked)
        record(kind=Kind.ACCOUNT_SIGNIN_SUCCEEDED, user=user_ref(form.get_user()), decision=Decision.ALLOW)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Record the failure without what was typed, which may be a password in the wrong field."""
        locked = bool(getattr(self.request, "axes_locked_out", False))
        record(
            kind=Kind.ACCOUNT_SIGNIN_FAILED,
            decision=Decision.DENY,
            reason="locked_out" if locked else "bad_credentials",
        )
        return super().form_invalid(form)

    def _is_awaited(self, target: str) -> bool:
        # Whoever is signed in already and was not asked again would come back as the same person, in circles.
        # A form of ours may not lead to another host, not even by redirects (its page's form-action): there, a link
        is_wanted = not self.request.user.is_authenticated or demanded(self.request.session, url=target).asked_at > 0
        return bool(target) and is_wanted and self.request.headers.get("Sec-Fetch-Site") != "same-origin"

    def _provider_url(self) -> str:
        asked = self.request.POST if self.request.method == "POST" else self.request.GET
        told = {name: value for name in _PASSED_ON if (value := asked.get(name, ""))}
        return f"{reverse('sign-in-provider')}?{urlencode(told)}"


@method_decorator(never_cache, name="dispatch")
class LogoutView(auth_views.LogoutView):
    """Sign out, by POST only; the session and everything bound to it ends."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Record who leaves before nobody is signed in any more; then on to the provider, if it signed her in."""
        onward = sign_out_url(request.session)
        if request.user.is_authenticated:
            record(kind=Kind.ACCOUNT_SIGNOUT_SUCCEEDED, user=user_ref(request.user), decision=Decision.ALLOW)
        response = super().post(request, *args, **kwargs)
        if not onward:
            return response
        # A page and no redirect: browsers hold the redirects after a form to the policy of the page it was on
        return render(request, "accounts/signed_out.html", {"onward": onward, "company": Company.configured()})


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponseBase:
    """What django-axes answers while one account is locked for one address."""
    retry_after_s = int(settings.AXES_COOLOFF_TIME * SECONDS_PER_HOUR)
    return refusal_page(request, status=RateExceededError.status, retry_after_s=retry_after_s)
