"""Sign in and sign out."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.signed_in import keep_pending, pending
from oauth_provider.throttle import RateExceededError, refusal_page, throttled

SECONDS_PER_HOUR = 3600
USERNAME_MAX = 150


@method_decorator(throttled("signin", methods=("POST",)), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class LoginView(auth_views.LoginView):
    """The sign-in page; Django rotates the session and accepts only a ``next`` on this host."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = False

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


@method_decorator(never_cache, name="dispatch")
class LogoutView(auth_views.LogoutView):
    """Sign out, by POST only; the session and everything bound to it ends."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Record who leaves before nobody is signed in any more."""
        if request.user.is_authenticated:
            record(kind=Kind.ACCOUNT_SIGNOUT_SUCCEEDED, user=user_ref(request.user), decision=Decision.ALLOW)
        return super().post(request, *args, **kwargs)


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponseBase:
    """What django-axes answers while one account is locked for one address."""
    retry_after_s = int(settings.AXES_COOLOFF_TIME * SECONDS_PER_HOUR)
    return refusal_page(request, status=RateExceededError.status, retry_after_s=retry_after_s)
