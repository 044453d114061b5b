"""Off to the company's provider, and back: GET both, because browsers arrive by redirect."""

import secrets
from functools import partial
from typing import Any
from urllib.parse import urlencode

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.errors import AnswerRefused, NotConnected, ProviderFault, SignInError
from oauth_provider.identities.provider.facts import facts_of, has_what_is_needed
from oauth_provider.identities.provider.id_token import auth_time, check_id_token
from oauth_provider.identities.provider.metadata import fetch_json, further_endpoint, keys, metadata
from oauth_provider.identities.provider.people import find_or_create
from oauth_provider.identities.provider.protocol import CompanyProtocol
from oauth_provider.identities.provider.sign_out import keep_for_sign_out
from oauth_provider.identities.signed_in import Demand, demanded, keep_pending, note_proof, pending
from oauth_provider.throttle import throttled

BACKEND = "django.contrib.auth.backends.ModelBackend"
HINT_MAX = 255


class CompanyView(View):
    """What both ways share: one provider or none, and one place where a failed sign-in is recorded and explained.

    `target` is the page of ours that waits for the sign-in, once it is known.
    """

    target = ""

    def dispatch(self, request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponseBase:
        """Answer; a failed sign-in with a page.

        Raises:
            Http404: no provider is configured.
        """
        company = Company.configured()
        if company is None:
            raise Http404
        try:
            return super().dispatch(request, company)
        except SignInError as error:
            return explain(request, company, error, target=self.target)


# Only coming back is a sign-in; whole offices leave from one address in the morning
@method_decorator(throttled("authorize"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class LeaveView(CompanyView):
    """To the provider."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, company: Company) -> HttpResponseBase:
        """Send the browser there, with what the page behind `next` asked for."""
        self.target = next_of(request)
        nonce, demand = secrets.token_urlsafe(24), demanded(request.session, url=self.target)
        provider = CompanyProtocol(request, company).get_provider()
        told = {"nonce": nonce, **_wishes(demand), **_hints(request)}
        demand_state = [demand.asked_at, demand.again, demand.max_age_s]
        response: HttpResponse = provider.redirect(
            request, "login", next_url=self.target, auth_params=told, nonce=nonce, demand=demand_state
        )
        return response


@method_decorator(throttled("signin"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class ReturnView(CompanyView):
    """From the provider: the redirect URI registered there."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, company: Company) -> HttpResponseBase:
        """Check the answer, sign the person in, and go on where she was."""
        protocol = CompanyProtocol(request, company)
        state = _state(protocol, request)
        self.target = state["next"]
        _check_answer(request, company)
        demand = Demand(**dict(zip(("asked_at", "again", "max_age_s"), state["demand"], strict=True)))
        tokens = _redeem(protocol, request, state)
        claims = check_id_token(
            tokens.get("id_token"),
            company=company,
            nonce=state["nonce"],
            keys=partial(keys, company),
            demand=demand,
        )
        proven_at = auth_time(claims)
        user = find_or_create(facts_of(_with_userinfo(claims, tokens, company), company))
        asked = pending(request.session)
        login(request, user, backend=BACKEND)
        keep_pending(request.session, asked)
        note_proof(request.session, at=proven_at, demand=demand)
        keep_for_sign_out(request.session, id_token=tokens["id_token"], company=company)
        record(
            kind=Kind.ACCOUNT_SIGNIN_SUCCEEDED,
            user=user_ref(user),
            decision=Decision.ALLOW,
            target=f"issuer:{company.issuer}",
        )
        return HttpResponseRedirect(self.target)


def next_of(request: HttpRequest) -> str:
    """Where to go on: a page of this host, else Connected Apps."""
    target = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours and "\x00" not in target else settings.LOGIN_REDIRECT_URL


def explain(request: HttpRequest, company: Company, error: SignInError, *, target: str) -> HttpResponse:
    """Record a failed sign-in without anything that was sent; say what to do, and how to go on to `target`."""
    record(
        kind=Kind.ACCOUNT_SIGNIN_FAILED,
        decision=Decision.ERROR if isinstance(error, ProviderFault) else Decision.DENY,
        reason=error.reason,
        status=error.status,
        target=f"issuer:{company.issuer}",
    )
    context = {
        "company": company,
        "reason": error.reason if not isinstance(error, NotConnected) else "not_connected",
        "again": f"{reverse('login')}?{urlencode({'next': target})}" if target else reverse("login"),
        "subject": error.subject if isinstance(error, NotConnected) else "",
    }
    return render(request, "accounts/not_signed_in.html", context, status=error.status)


def _wishes(demand: Demand) -> dict[str, str]:
    # OpenID Connect Core section 3.1.2.1
    wishes = {"prompt": "login"} if demand.again else {}
    return wishes if demand.max_age_s is None else wishes | {"max_age": str(demand.max_age_s)}


def _hints(request: HttpRequest) -> dict[str, str]:
    hints = {name: request.GET.get(name, "")[:HINT_MAX] for name in ("login_hint", "ui_locales")}
    return {name: value for name, value in hints.items() if value and value.isprintable()}


def _state(protocol: CompanyProtocol, request: HttpRequest) -> dict[str, Any]:
    """Take the state out of the session, so that no answer counts twice (RFC 6749 section 10.12).

    Raises:
        AnswerRefused: this browser did not start this sign-in, or started it long ago.
    """
    try:
        state: dict[str, Any] = protocol.get_provider().unstash_redirect_state(request, request.GET.get("state", ""))
    except PermissionDenied as fault:
        raise AnswerRefused("unknown_state") from fault
    return state


def _check_answer(request: HttpRequest, company: Company) -> None:
    """RFC 9207 section 2.4 and OpenID Connect Core section 3.1.2.6.

    Raises:
        AnswerRefused: another issuer answers, or the provider says no.
    """
    issuer = request.GET.get("iss")
    is_promised = metadata(company).get("authorization_response_iss_parameter_supported") is True
    if issuer != company.issuer and (is_promised or issuer is not None):
        raise AnswerRefused("answer_of_another_issuer")
    if "error" in request.GET or not request.GET.get("code"):
        is_person = request.GET.get("error") == "access_denied"
        raise AnswerRefused("denied_at_provider" if is_person else "refused_by_provider")


def _redeem(protocol: CompanyProtocol, request: HttpRequest, state: dict[str, Any]) -> dict[str, Any]:
    client = protocol.get_client(request, protocol.get_provider().app)
    try:
        tokens = client.get_access_token(request.GET["code"], pkce_code_verifier=state["pkce_code_verifier"])
    except requests.RequestException as fault:
        raise ProviderFault("provider_unreachable") from fault
    except (OAuth2Error, ValueError, TypeError, KeyError) as fault:
        # Also what the library makes of an answer of no type, or of no shape
        raise AnswerRefused("code_refused") from fault
    return tokens if isinstance(tokens, dict) else {}


def _with_userinfo(claims: dict[str, Any], tokens: dict[str, Any], company: Company) -> dict[str, Any]:
    """Ask the userinfo endpoint for what the ID token lacks; the ID token's own word counts more.

    Raises:
        AnswerRefused: it speaks of somebody else (OpenID Connect Core section 5.3.2).
        ProviderFault: it does not answer.
    """
    url = further_endpoint(company, "userinfo_endpoint")
    if has_what_is_needed(claims, company) or not url:
        return claims
    told = fetch_json(url, Authorization=f"Bearer {tokens['access_token']}")
    if told.get("sub") != claims["sub"]:
        raise AnswerRefused("userinfo_of_another_person")
    return {**told, **claims}
