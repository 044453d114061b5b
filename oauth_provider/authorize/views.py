"""The authorization endpoint (RFC 6749 section 3.1): GET asks, POST is the consent form."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.authorize.checks.check_max_age import check_max_age
from oauth_provider.authorize.checks.check_prompt import check_prompt
from oauth_provider.authorize.checks.load_document import load_document
from oauth_provider.authorize.decide import decide
from oauth_provider.authorize.errors import LocalError, RedirectError
from oauth_provider.authorize.interactions import session_digest
from oauth_provider.authorize.pages import person_of, person_ref, refuse_locally, show_consent
from oauth_provider.authorize.parameters import AuthorizationRequest, parse
from oauth_provider.authorize.presentation import choose_language
from oauth_provider.authorize.remembered import answer_remembered
from oauth_provider.authorize.respond import redirect
from oauth_provider.authorize.run import Answerable, establish, examine
from oauth_provider.authorize.sign_in_again import must_sign_in
from oauth_provider.identities.signed_in import ask_to_sign_in
from oauth_provider.throttle import ThrottledError, record_refusal, refusal_page, throttled


@method_decorator(throttled("authorize"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
@method_decorator(csrf_protect, name="dispatch")
class AuthorizeView(View):
    """The consent page is shown for every request that does not say `prompt=none`; nothing else can skip it."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Examine an authorization request and show the consent page."""
        try:
            asked = parse(request.GET)
            language = choose_language(asked.ui_locales)
            _speak(request, language)
            if not load_document(asked, request=request, signed_in=person_of(request) is not None):
                here = request.get_full_path()
                return _to_sign_in(language, next=here, login_hint=asked.login_hint, ui_locales=asked.ui_locales)
            answerable = establish(asked)
        except LocalError as error:
            return refuse_locally(request, error)
        except ThrottledError as refusal:
            record_refusal(refusal)
            return refusal_page(request, status=refusal.status, retry_after_s=refusal.retry_after_s)
        try:
            return _go_on(request, answerable, language)
        except RedirectError as error:
            return _refuse_to_client(request, answerable, error)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Take the decision of the consent form."""
        user = person_of(request)
        if user is None:
            # The page that was answered belongs to a session that is over
            return _to_sign_in(None, next=settings.LOGIN_REDIRECT_URL)
        decision = request.POST.get("decision", "")
        try:
            outcome = decide(
                interaction_id=request.POST.get("interaction", ""),
                user=user,
                session_digest=session_digest(request.session),
                chosen=request.POST.getlist("scope"),
                duration=request.POST.get("duration", ""),
                allowed=decision == "allow",
            )
        except LocalError as error:
            _speak(request, error.locale)
            return refuse_locally(request, error)
        if outcome.is_device:
            return HttpResponseRedirect(
                reverse("device-connected" if outcome.is_allowed else "device-denied"), status=303
            )
        answer = {"code": outcome.code} if outcome.code else _denied()
        return redirect(redirect_uri=outcome.redirect_uri, state=outcome.state, status=303, **answer)


def _denied() -> dict[str, str]:
    return {"error": "access_denied", "error_description": "the user did not allow access"}


def _speak(request: HttpRequest, language: str | None) -> None:
    if language:
        translation.activate(language)
        request.LANGUAGE_CODE = language


def _go_on(request: HttpRequest, answerable: Answerable, language: str | None) -> HttpResponseBase:
    asked, here = answerable.request, request.get_full_path()
    user = person_of(request)
    # Redirecting a stranger's browser on demand would make this an open redirector (RFC 9700 section 4.11.2);
    # prompt=none is the one case where the client asks for an answer without a person.
    acceptable = examine(answerable, user) if user else None
    if user is None or acceptable is None or must_sign_in(acceptable, user=user, session=request.session, url=here):
        check_prompt(asked, signed_in=False)
        if "login" in asked.prompt or asked.max_age or asked.id_token_hint:
            again = "login" in asked.prompt or (user is not None and bool(asked.id_token_hint))
            ask_to_sign_in(request.session, url=here, again=again, max_age_s=_age(asked))
        return _to_sign_in(language, next=here, login_hint=asked.login_hint, ui_locales=asked.ui_locales)
    if "none" in asked.prompt:
        outcome = answer_remembered(acceptable=acceptable, user=user, session=request.session)
        return redirect(redirect_uri=outcome.redirect_uri, state=outcome.state, status=302, code=outcome.code)
    return show_consent(request, acceptable, user)


def _age(asked: AuthorizationRequest) -> int | None:
    # A malformed one is answered once somebody is signed in, like every other fault
    try:
        return check_max_age(asked)
    except RedirectError:
        return None


def _to_sign_in(language: str | None, **query: str) -> HttpResponseBase:
    told = urlencode({name: value for name, value in query.items() if value})
    response = HttpResponseRedirect(f"{reverse('login')}{'?' * bool(told)}{told}")
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


def _refuse_to_client(request: HttpRequest, answerable: Answerable, error: RedirectError) -> HttpResponseBase:
    record(
        kind=Kind.OAUTH_AUTHORIZATION_REFUSED,
        user=person_ref(request),
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
