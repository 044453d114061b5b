"""Attacks on the sign-in with the company's provider and on the webhook, over plain HTTP, against both real servers."""

import re
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.oauth_provider.webhooks.identity.sender import new_secret, sign
from tests.sign_in.conftest import SECRET, Company

pytestmark = pytest.mark.node


class Visitor(httpx.Client):
    """A browser without scripts; redirects are followed by hand."""

    def __init__(self, company: Company) -> None:
        super().__init__(timeout=20, trust_env=False)
        self.company = company

    def leave(self) -> str:
        """Press the button; the address at the provider."""
        answer = self.get(f"{self.company.demo.issuer}/accounts/provider/?next=/connected-apps/")
        return str(answer.headers["location"])

    def identify(self, subject: str) -> str:
        """Sign in there; the address she is sent back to, not yet followed."""
        url = self.leave()
        for _ in range(12):
            if url.startswith(self.company.demo.issuer):
                return url
            page = self.get(url)
            if page.status_code == 200:
                action = re.search(r'action="([^"]+)"', page.text)
                assert action, page.text
                form = (
                    {"prompt": "login", "login": subject, "password": "x"}
                    if 'name="login"' in page.text
                    else {"prompt": "consent"}
                )
                page = self.post(httpx.URL(url).join(action[1]), data=form)
            url = str(httpx.URL(url).join(page.headers["location"]))
        raise AssertionError(f"no way back from {url}")

    def is_signed_in(self) -> bool:
        """Whether Connected Apps opens."""
        return self.get(f"{self.company.demo.issuer}/connected-apps/").status_code == 200


def test_login_csrf_an_attackers_answer_signs_no_victim_in(company: Company) -> None:
    with Visitor(company) as attacker, Visitor(company) as victim:
        answer = attacker.identify("u-lena")
        refused = victim.get(answer)
        assert (refused.status_code, victim.is_signed_in()) == (400, False)
        assert "unknown_state" in refused.text
        # Nor with a sign-in of the victim's own under way
        victim.leave()
        assert victim.get(answer).status_code == 400
        assert attacker.get(answer).status_code == 302


def test_session_fixation_the_session_before_is_not_the_one_after(company: Company) -> None:
    with Visitor(company) as visitor:
        answer = visitor.identify("u-lena")
        before = visitor.cookies["session"]
        visitor.get(answer)
        assert visitor.is_signed_in()
        assert visitor.cookies["session"] != before
        with Visitor(company) as attacker:
            attacker.cookies.set("session", before)
            assert not attacker.is_signed_in()


def test_a_replayed_answer_is_refused(company: Company) -> None:
    with Visitor(company) as visitor:
        answer = visitor.identify("u-lena")
        assert visitor.get(answer).status_code == 302
        assert visitor.get(answer).status_code == 400


def test_code_injection_a_stolen_code_is_worth_nothing_in_another_sign_in(company: Company) -> None:
    with Visitor(company) as victim, Visitor(company) as attacker:
        stolen = parse_qs(urlsplit(victim.identify("u-lena")).query)["code"][0]
        own = attacker.identify("u-joao")
        mixed = re.sub(r"code=[^&]+", f"code={stolen}", own)
        assert attacker.get(mixed).status_code == 400
        assert not attacker.is_signed_in()


def test_mix_up_an_answer_in_the_name_of_another_issuer_is_refused(company: Company) -> None:
    with Visitor(company) as visitor:
        answer = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", visitor.identify("u-lena"))
        assert visitor.get(answer).status_code == 400
        assert not visitor.is_signed_in()


def test_open_redirect_the_way_back_stays_here(company: Company) -> None:
    with Visitor(company) as visitor:
        for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
            visitor.get(f"{company.demo.issuer}/accounts/provider/", params={"next": target})
        answer = visitor.get(visitor.identify("u-lena"))
        assert answer.headers["location"] == "/connected-apps/"


@pytest.mark.parametrize(
    "path",
    ["signup/", "password/reset/", "password/change/", "email/", "confirm-email/", "3rdparty/", "social/signup/"],
)
def test_the_library_left_no_page_open(company: Company, path: str) -> None:
    assert httpx.get(f"{company.demo.issuer}/accounts/{path}", timeout=20).status_code == 404


def test_passwords_that_are_off_open_nothing(company: Company) -> None:
    staff = company.demo.facts["staff"]
    basic = (staff["username"], staff["password"])
    assert httpx.get(f"{company.demo.issuer}/api/manage/v1/clients/", auth=basic, timeout=20).status_code == 401
    form = {"username": basic[0], "password": basic[1]}
    for path in ("/accounts/login/", "/admin/login/"):
        assert httpx.post(f"{company.demo.issuer}{path}", data=form, timeout=20).status_code in {302, 403, 405}


BODY = b'{"type": "user.deleted", "data": {"id": "u-joao"}}'


def deliver(company: Company, headers: dict[str, str], body: bytes = BODY) -> int:
    """The status of a message that would stop somebody."""
    url = f"{company.demo.issuer}/webhooks/identity"
    return httpx.post(url, content=body, headers=headers, timeout=20).status_code


def headers(secret: str, *, at: float = 0, body: bytes = BODY) -> dict[str, str]:
    """Signed."""
    name, timestamp = f"msg_{secrets.token_hex(8)}", str(int(at or time.time()))
    return {"svix-id": name, "svix-timestamp": timestamp, "svix-signature": sign(secret, name, timestamp, body)}


def test_a_forged_old_or_changed_message_stops_nobody(company: Company) -> None:
    good = headers(SECRET)
    forged = [
        {},
        headers(new_secret()),
        headers(SECRET, at=time.time() - 400),
        {**good, "svix-signature": "v1,"},
        {**good, "svix-id": "another"},
    ]
    assert [deliver(company, each) for each in forged] == [400, 401, 401, 401, 401]
    assert deliver(company, good, BODY.replace(b"deleted", b"updated")) == 401
    with Visitor(company) as visitor:
        assert visitor.get(visitor.identify("u-joao")).status_code == 302


def test_a_message_about_nobody_is_answered_like_any_other(company: Company) -> None:
    body = BODY.replace(b"u-joao", b"u-nobody")
    assert deliver(company, headers(SECRET, body=body), body) == 204
