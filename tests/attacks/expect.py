"""What a row expects of an answer; each raises `NotMet` with words for the table."""

import httpx

from tests.attacks.table import NotMet
from tests.attacks.target import STATE, Target, answered
from tests.journeys.pages import Page

ELSEWHERE = "evil"


def that(condition: object, otherwise: str) -> None:
    """Expect anything; `otherwise` says what is the case if it is not so.

    Raises:
        NotMet: it is not so.
    """
    if not condition:
        raise NotMet(otherwise)


def refused_here(page: Page, *statuses: int) -> None:
    """A page of the server's own, no redirect, and nothing of a hostile address in it as a link."""
    that("location" not in page.response.headers, f"{page.status} redirect")
    that(page.status in (statuses or (400, 403)), f"{page.status} instead of a refusal")
    that(not any(ELSEWHERE in link for link in page.links), "the address is on the page as a link")


def refused_to_client(target: Target, page: Page, *errors: str, client: str = "A") -> None:
    """A redirect to the registered address with one of `errors`, the client's state and this issuer."""
    answer = answered(page)
    location = page.response.headers["location"]
    that(location.startswith(target.clients[client].redirect_uri), "redirect to somewhere else")
    that(answer.get("error") in errors, f"error={answer.get('error')}")
    that(answer.get("state") == STATE, "the state is missing")
    that("iss" in answer, f"{answer['error']} without iss")
    that(answer["iss"] == target.issuer, "iss is not the issuer")


def consent_shown(target: Target, page: Page) -> None:
    """The consent page, waiting for a person."""
    target.consent_form(page)


def token_refused(response: httpx.Response, status: int, *errors: str) -> None:
    """An error as RFC 6749 section 5.2 has it, with no word about how the server is made."""
    that(response.status_code == status, f"HTTP {response.status_code}")
    that(response.headers["content-type"].startswith("application/json"), "the refusal is not JSON")
    error = response.json().get("error")
    that(not errors or error in errors, f"error={error}")
    told = response.text.lower()
    that(not any(word in told for word in ("traceback", "sqlite", "postgres", "c.example")), "the error tells too much")


def issued(response: httpx.Response) -> dict[str, str]:
    """The tokens of a successful answer."""
    that(response.status_code == 200, f"HTTP {response.status_code} {_error(response)}".strip())
    body: dict[str, str] = response.json()
    that(body.get("access_token"), "no access token")
    return body


def dead(target: Target, *tokens: str) -> None:
    """None of the access tokens opens the API any more."""
    that(not any(target.opens(token) for token in tokens), "the access token still opens the API")


def alive(target: Target, *tokens: str) -> None:
    """Every one of the access tokens opens the API."""
    that(all(target.opens(token) for token in tokens), "the access token is dead")


def _error(response: httpx.Response) -> str:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return str(response.json().get("error", "")) if is_json else ""
