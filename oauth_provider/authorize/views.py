"""The authorization endpoint (RFC 6749 section 3.1): GET asks, POST is the consent form."""

from urllib.parse import urlencode

from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from audit.ledger.events import UserRef
from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.checks.check_prompt import check_prompt
from oauth_provider.authorize.decide import decide
from oauth_provider.authorize.errors import LocalError, RedirectError
from oauth_provider.authorize.interactions import open_interaction, session_digest
from oauth_provider.authorize.parameters import AuthorizationRequest, parse
from oauth_provider.authorize.presentation import choose_language, platform_name, present
from oauth_provider.authorize.redirects import form_action_sources
from oauth_provider.authorize.respond import redirect
from oauth_provider.authorize.run import Answerable, establish, examine
from oauth_provider.identities.external_id import user_ref
from oauth_provider.throttle import throttled


@method_decorator(throttled("authorize"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
@method_decorator(csrf_protect, name="dispatch")
class AuthorizeView(View):
    """Consent is shown for every request; nothing a client sends can skip it."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Examine an authorization request and show the consent page."""
        try:
            asked = parse(request.GET)
            answerable = establish(asked)
        except LocalError as error:
            return _refuse_locally(request, error)
        language = choose_language(asked.ui_locales)
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        try:
            # Redirecting a stranger's browser on demand would make this an open redirector (RFC 9700 section 4.11.2);
            # prompt=none is the one case where the client asks for an answer without a person.
            user = _person(request)
            if user is None:
                check_prompt(asked, signed_in=False)
                return _to_sign_in(request, language)
            return _show(request, answerable, user)
        except RedirectError as error:
            return _refuse_to_client(request, answerable, error)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Take the decision of the consent form."""
        user = _person(request)
        if user is None:
            # The page that was answered belongs to a session that is over
            return _to_sign_in(request, None, target=settings.LOGIN_REDIRECT_URL)
        decision = request.POST.get("decision", "")
        try:
            outcome = decide(
                interaction_id=request.POST.get("interaction", ""),
                user=user,
                session_digest=session_digest(request.session),
                chosen=request.POST.getlist("scope"),
                allow=decision == "allow",
            )
        except LocalError as error:
            return _refuse_locally(request, error)
        answer = {"code": outcome.code} if outcome.code else _denied()
        return redirect(redirect_uri=outcome.redirect_uri, state=outcome.state, status=303, **answer)


def _denied() -> dict[str, str]:
    return {"error": "access_denied", "error_description": "the user did not allow access"}


def _person(request: HttpRequest) -> User | None:
    user = request.user
    return user if user.is_authenticated and user.is_active else None


def _person_ref(request: HttpRequest) -> UserRef | None:
    user = _person(request)
    return None if user is None else user_ref(user)


def _to_sign_in(request: HttpRequest, language: str | None, *, target: str = "") -> HttpResponseBase:
    back = target or request.get_full_path()
    response = HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': back})}")
    if language:
        # The sign-in page speaks the language the client asked for, for this visit only.
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response


def _show(request: HttpRequest, answerable: Answerable, user: User) -> HttpResponseBase:
    acceptable = examine(answerable)
    page = present(acceptable)
    interaction = open_interaction(
        acceptable=acceptable,
        user=user,
        session=request.session,
        shown_digest=page.digest,
        shown_locale=page.locale,
    )
    record(
        kind=Kind.OAUTH_AUTHORIZATION_SHOWN,
        user=user_ref(user),
        client_id=answerable.client.client_id,
        decision=Decision.ALLOW,
        scopes_required=interaction.scopes,
        audience=acceptable.resource.identifier,
    )
    context = {"page": page, "interaction": interaction.pk, "here": request.get_full_path()}

    # Browsers apply form-action to the redirect that answers a form, so the client's origin must be in it.
    @csp_replace({"form-action": [SELF, *form_action_sources(answerable.redirect_uri)]})
    def consent(request: HttpRequest) -> HttpResponse:
        return render(request, "authorize/consent.html", context)

    return consent(request)


def _refuse_locally(request: HttpRequest, error: LocalError) -> HttpResponseBase:
    record(
        kind=Kind.OAUTH_AUTHORIZATION_REFUSED,
        user=_person_ref(request),
        client_id=error.client_id,
        decision=Decision.DENY,
        reason=error.reason,
        status=error.status,
    )
    context = {"error": error, "platform": platform_name()}
    return render(request, "authorize/error.html", context, status=error.status)


def _refuse_to_client(request: HttpRequest, answerable: Answerable, error: RedirectError) -> HttpResponseBase:
    record(
        kind=Kind.OAUTH_AUTHORIZATION_REFUSED,
        user=_person_ref(request),
        client_id=answerable.client.client_id,
        decision=Decision.DENY,
        reason=error.reason,
        status=302,
    )
    asked: AuthorizationRequest = answerable.request
    return redirect(
        redirect_uri=answerable.redirect_uri,
        state=asked.state,
        status=302,
        error=error.code,
        error_description=error.description,
    )
