"""From a ChatGPT sign-in to a carried call, as a GPT Action travels it."""

import httpx
import pytest

from tests.journeys import steps
from tests.journeys.pages import Browser
from tests.journeys.server import Demo

SEARCH = "/api/v1/gpt/jobs/search"
RAW_QUERY = "keywords=back%20end+python&place=S%C3%A3o%20Paulo&keywords="


def test_newcomer_is_asked_to_sign_in_and_lands_on_the_consent_page(demo: Demo) -> None:
    asked = steps.ask_as_gpt(demo)
    with Browser(demo.issuer) as browser:
        page = steps.sign_in(browser, demo.user("ana"), path=asked.url)
    assert page.status == 200
    assert steps.offered(page)


def test_consent_page_says_who_asks_what_for_and_where_to(demo: Demo, ana: Browser) -> None:
    page = ana.open(steps.ask_as_gpt(demo).url)
    assert "Career Copilot" in page.text
    assert "chatgpt.com" in page.text
    assert "ana" in page.text
    assert set(steps.offered(page)) == set(demo.client("gpt")["scopes"])


def test_consent_page_names_no_raw_scope_where_words_should_be(demo: Demo, ana: Browser) -> None:
    page = ana.open(steps.ask_as_gpt(demo).url)
    boxes = page.form_with("decision").named("scope")
    assert len(boxes) == 4
    assert "search" in page.text.lower()


@pytest.mark.parametrize("callback", [steps.CHAT_OPENAI, steps.CHATGPT])
def test_allowing_returns_to_either_callback_host_with_code_state_and_issuer(
    demo: Demo, ana: Browser, callback: str
) -> None:
    asked = steps.ask_as_gpt(demo, redirect_uri=callback)
    page = ana.open(asked.url)
    form = page.form_with("decision")
    sent_back = ana.submit(page, form, [("scope", "jobs:read"), ("decision", "allow")])
    assert sent_back.response.headers["location"].startswith(f"{callback}?")
    answer = steps.returned(sent_back)
    assert answer["code"]
    assert (answer["state"], answer["iss"]) == (asked.state, demo.issuer)


def test_denying_returns_an_error_and_no_code(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_gpt(demo)
    answer = steps.decide(ana, ana.open(asked.url), decision="deny")
    assert answer["error"] == "access_denied"
    assert (answer["state"], answer["iss"]) == (asked.state, demo.issuer)
    assert "code" not in answer


def test_an_unregistered_callback_is_never_redirected_to(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_gpt(demo, redirect_uri="https://chatgpt.com/aip/g-other/oauth/callback")
    page = ana.open(asked.url)
    assert page.status == 400
    assert "location" not in page.response.headers


def test_public_client_without_pkce_is_refused(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_desktop_app(demo, scopes=["tool:read"], resource="/api/v1/echo")
    without = "&".join(pair for pair in asked.url.split("&") if not pair.startswith("code_challenge"))
    assert steps.returned(ana.open(without))["error"] == "invalid_request"


def test_an_unticked_permission_is_not_granted(demo: Demo, ana: Browser) -> None:
    allowed = set(demo.client("gpt")["scopes"]) - {"resume:read"}
    assert steps.connect_gpt(demo, ana, allow=allowed).scopes == allowed


@pytest.mark.parametrize("proof", ["form", "json", "basic"])
def test_code_is_exchanged_with_any_proof_a_gpt_may_send(demo: Demo, ana: Browser, proof: steps.Proof) -> None:
    asked = steps.ask_as_gpt(demo)
    code = steps.decide(ana, ana.open(asked.url))["code"]
    answer = steps.exchange(demo, asked, code, proof=proof)
    assert steps.tokens_of(answer).access.startswith("gh_at_")
    assert answer.headers["cache-control"] == "no-store"


def test_wrong_secret_gets_401_invalid_client(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_gpt(demo)
    code = steps.decide(ana, ana.open(asked.url))["code"]
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked.redirect_uri}
    answer = steps.at_token_endpoint(demo, asked.client | {"client_secret": "A" * 43}, fields)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_code_works_once(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_gpt(demo)
    code = steps.decide(ana, ana.open(asked.url))["code"]
    assert steps.exchange(demo, asked, code).status_code == 200
    again = steps.exchange(demo, asked, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_replayed_code_ends_the_tokens_it_gave(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_gpt(demo)
    code = steps.decide(ana, ana.open(asked.url))["code"]
    tokens = steps.tokens_of(steps.exchange(demo, asked, code))
    steps.exchange(demo, asked, code)
    steps.refused_after_s(lambda: search(demo, tokens))


def test_refresh_rotates_and_the_new_token_works(demo: Demo, ana: Browser) -> None:
    first = steps.connect_gpt(demo, ana)
    second = steps.tokens_of(steps.refresh(demo, demo.client("gpt"), first.refresh))
    assert second.refresh != first.refresh
    assert search(demo, second).status_code == 200


def test_a_refresh_token_of_two_rotations_ago_is_refused(demo: Demo, ana: Browser) -> None:
    client, first = demo.client("gpt"), steps.connect_gpt(demo, ana)
    second = steps.tokens_of(steps.refresh(demo, client, first.refresh))
    steps.tokens_of(steps.refresh(demo, client, second.refresh))
    old = steps.refresh(demo, client, first.refresh)
    assert (old.status_code, old.json()["error"]) == (400, "invalid_grant")


def test_alias_serves_the_same_road(demo: Demo, ana: Browser) -> None:
    asked = steps.ask_as_gpt(demo, road="/api/v1/gpt/oauth")
    answer = steps.decide(ana, ana.open(asked.url))
    assert answer["iss"] == demo.issuer
    tokens = steps.tokens_of(steps.exchange(demo, asked, answer["code"], road="/api/v1/gpt/oauth"))
    assert search(demo, tokens).status_code == 200


def test_job_search_is_carried_to_the_backend(demo: Demo, ana: Browser) -> None:
    answer = search(demo, steps.connect_gpt(demo, ana))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["X-User-Id", "X-USER-ID", "X-Clerk-User-Id", "X-Gateway-Identity", "X-Scopes", "Remote-User", "X-Roles"]
)
def test_job_search_is_answered_whatever_identity_the_caller_claims(demo: Demo, ana: Browser, name: str) -> None:
    assert search(demo, steps.connect_gpt(demo, ana), **{name: "user_2def"}).status_code == 200


def test_without_the_scope_the_challenge_names_what_is_missing(demo: Demo, ana: Browser) -> None:
    answer = search(demo, steps.connect_gpt(demo, ana, allow=["resume:read"]))
    challenge = answer.headers["www-authenticate"]
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error"] == "insufficient_scope"
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="jobs:read"' in challenge
    assert "resource_metadata=" in challenge


def test_without_a_token_the_challenge_leads_to_this_issuer(demo: Demo) -> None:
    answer = httpx.get(f"{demo.issuer}{SEARCH}?{RAW_QUERY}", timeout=20)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert "error=" not in challenge
    document = httpx.get(challenge.split('resource_metadata="')[1].split('"')[0], timeout=20).json()
    assert document["resource"] == f"{demo.issuer}/api/v1/gpt"
    assert document["authorization_servers"] == [demo.issuer]


def test_an_unknown_token_is_called_invalid(demo: Demo) -> None:
    answer = httpx.get(f"{demo.issuer}{SEARCH}", headers={"Authorization": "Bearer gh_at_unknown"}, timeout=20)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_token_for_one_backend_is_no_token_for_another(demo: Demo, ana: Browser) -> None:
    gpt = steps.connect_gpt(demo, ana)
    answer = httpx.get(f"{demo.issuer}/api/v1/echo/x", headers=gpt.header, timeout=20)
    assert answer.status_code == 401


def test_discovery_names_the_endpoints_that_were_used(demo: Demo) -> None:
    document = httpx.get(f"{demo.issuer}/.well-known/oauth-authorization-server", timeout=20).json()
    assert document["issuer"] == demo.issuer
    assert document["token_endpoint"] == f"{demo.issuer}/oauth/token"
    assert document["authorization_response_iss_parameter_supported"] is True
    assert "S256" in document["code_challenge_methods_supported"]


@pytest.mark.parametrize("origin", ["https://chatgpt.com", "https://chat.openai.com"])
@pytest.mark.parametrize("path", [SEARCH, "/oauth/token"])
def test_chatgpt_may_read_answers_of_both_roads(demo: Demo, origin: str, path: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST" if "token" in path else "GET"}
    answer = httpx.options(f"{demo.issuer}{path}", headers=asked, timeout=20)
    assert answer.headers["access-control-allow-origin"] == origin


def test_the_demo_api_key_opens_no_operation_of_oauth(demo: Demo) -> None:
    answer = httpx.get(f"{demo.issuer}{SEARCH}", headers={"X-API-Key": demo.facts["api_key"]}, timeout=20)
    assert answer.status_code == 401


def search(demo: Demo, tokens: steps.Tokens, **headers: str) -> httpx.Response:
    """Search jobs as the client that holds `tokens`."""
    return httpx.get(f"{demo.issuer}{SEARCH}?{RAW_QUERY}", headers=tokens.header | headers, timeout=20)
