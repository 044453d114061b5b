"""Issuers in the admin: what staff type is what the data plane runs, and what its check page says."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.identities.models import Identity
from oauth_provider.scopes.models import Scope
from proxy.issuers.models import Issuer
from proxy.issuers.plans import read_issuers
from proxy.issuers.save import save_issuer
from tests.proxy.issuers.idp import AUDIENCE, SUBJECT, Idp, rsa
from tests.staff_browser import StaffBrowser, errors_of, last_event

LIST = "/admin/proxy/issuer/"
CLERK = {
    "name": "clerk",
    "issuer": "https://clerk.example.com",
    "audience": "https://api.example.com",
    "jwks_url": "https://clerk.example.com/.well-known/jwks.json",
}


def stored(**changes: Any) -> Issuer:
    """An issuer."""
    made = Issuer(**(CLERK | changes))
    save_issuer(issuer=made, actor=None)
    return made


def page(issuer: Issuer, part: str = "change") -> str:
    """The address of a page of it."""
    return f"{LIST}{issuer.pk}/{part}/"


def test_a_new_one_counts_as_it_was_typed(staff: StaffBrowser) -> None:
    staff.fill(
        f"{LIST}add/", **(CLERK | {"audience": "https://api.example.com\nsecond"}), algorithms=["RS256", "ES256"],
        claim_scopes="permissions", claim_tenant="o.id",
    )  # fmt: skip
    plan = read_issuers()["https://clerk.example.com"]
    assert plan.audiences == {"https://api.example.com", "second"}
    assert plan.algorithms == {"RS256", "ES256"}
    assert plan.claims == {"scopes": "permissions", "tenant": "o.id"}
    event = last_event(kind=Kind.ADMIN_OBJECT_ADDED)
    assert (event.target, event.actor != "") == ("issuer:clerk", True)
    assert "clerk" in staff.text(LIST)


def test_a_page_sent_back_untouched_changes_nothing(staff: StaffBrowser) -> None:
    issuer = stored(audience=["a", "b"], claims={"scopes": "scp"})
    staff.fill(page(issuer), reason="looking")
    again = Issuer.objects.get()
    assert (again.audience, again.claims, again.algorithms) == (["a", "b"], {"scopes": "scp"}, ["RS256"])
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == []


@pytest.mark.parametrize(
    "changes",
    [{"enabled": []}, {"audience": "other"}, {"claim_user": "email"}, {"algorithms": ["ES256"]},
     {"allow_private": "on"}, {"issuer": "https://other.example"}, {"jwks_url": "https://other.example/keys"}],
)  # fmt: skip
def test_whom_to_trust_is_not_changed_without_a_reason(
    staff: StaffBrowser, changes: dict[str, str | list[str]]
) -> None:
    issuer = stored()
    assert "reason" in errors_of(staff.fill(page(issuer), **changes))
    assert staff.fill(page(issuer), **changes, reason="Because").status_code == 302
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.fields, event.note) == (sorted(changes), "Because")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "no spaces"),
        ("issuer", "clerk.example.com"),
        ("issuer", "http://clerk.example.com"),
        ("audience", ""),
        ("audience", "a" * 501),
        ("jwks_url", "http://clerk.example.com/"),
        ("jwks_url", "https://169.254.169.254/"),
        ("jwks_url", "https://clerk.example.com/\x00"),
        ("algorithms", []),
        ("algorithms", ["none"]),
        ("claim_user", "a" * 201),
        ("claim_roles", "a\x01b"),
    ],
)
def test_what_cannot_be_is_refused_by_field(staff: StaffBrowser, field: str, value: str | list[str]) -> None:
    assert field in errors_of(staff.fill(f"{LIST}add/", **(CLERK | {field: value})))
    assert not Issuer.objects.exists()


def test_it_is_deleted_with_a_reason(staff: StaffBrowser) -> None:
    issuer = stored()
    staff.http.post(page(issuer, "delete"), {"post": "yes"})
    assert Issuer.objects.exists()
    staff.http.post(page(issuer, "delete"), {"post": "yes", "reason": "Moved"})
    assert not Issuer.objects.exists()
    assert last_event(kind=Kind.ADMIN_OBJECT_DELETED, target="issuer:clerk").note == "Moved"


def test_who_may_only_look_changes_nothing_and_calls_nobody(viewer: StaffBrowser, outside: Idp) -> None:
    issuer = stored(jwks_url=outside.jwks_url, allow_private=True, claims={"scopes": "scp"})
    text = viewer.text(page(issuer))
    assert "https://clerk.example.com" in text
    assert "scp" in text
    assert page(issuer, "check") not in viewer.text(page(issuer))
    assert viewer.http.post(page(issuer, "check"), {"token": ""}).status_code == 403
    assert outside.requests == []


@pytest.mark.parametrize("part", ["change", "check", "history", "delete"])
@pytest.mark.parametrize("pk", ["0", "x", "99999999999999999999"])
def test_one_that_does_not_exist_is_no_error(staff: StaffBrowser, part: str, pk: str) -> None:
    assert staff.open(f"{LIST}{pk}/{part}/").status_code in {302, 404}


# The page that tries it


@pytest.fixture
def live(outside: Idp) -> Issuer:
    """One whose keys can be fetched."""
    Scope.objects.create(name="jobs:read", title="Search jobs")
    return stored(issuer=outside.issuer, audience=AUDIENCE, jwks_url=outside.jwks_url, allow_private=True)


def tried(staff: StaffBrowser, issuer: Issuer, token: str = "") -> str:
    """What the page says."""
    answer = staff.fill(page(issuer, "check"), token=token)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return str(answer.content.decode())


def failing(text: str) -> list[str]:
    """The checks that fail."""
    rows = text.split("<tr>")[1:]
    return [row.split("<td>")[2].split("</td>")[0] for row in rows if "Fails" in row]


def test_looking_at_the_page_calls_nobody(staff: StaffBrowser, live: Issuer, outside: Idp) -> None:
    assert page(live, "check") in staff.text(page(live))
    staff.text(page(live, "check"))
    assert outside.requests == []


def test_it_says_which_keys_there_are(staff: StaffBrowser, live: Issuer) -> None:
    text = tried(staff, live)
    assert "<code>k1</code></td><td>RS256" in text
    assert "Fails" not in text


def test_a_good_token_passes_every_check_and_is_not_kept(staff: StaffBrowser, live: Issuer, outside: Idp) -> None:
    token = outside.token()
    before = Event.newest_first().count()
    text = tried(staff, live, token)
    assert failing(text) == []
    assert text.count("Passes") == 13
    assert f"user: {SUBJECT}" in text
    assert "jobs:read" in text
    assert token not in text
    assert Event.newest_first().count() == before


def test_a_bad_one_fails_where_it_is_bad(staff: StaffBrowser, live: Issuer, outside: Idp) -> None:
    for token, words in (
        (outside.token(exp=1), ["It has an end, and that is to come (exp)."]),
        (outside.token(aud="<b>other</b>"), ["Its aud has one of the audiences."]),
        (outside.token(rsa("k1")), ["The signature is that key&#x27;s."]),
        (outside.token(iss="https://other.example", sub="a b"), ["Its iss is this issuer&#x27;s."]),
        ("not a token", ["It is a signed compact JWT."]),
    ):
        text = tried(staff, live, token)
        assert failing(text)[:1] == words
        assert "<b>other" not in text


def test_somebody_who_is_switched_off_here_is_named(staff: StaffBrowser, live: Issuer, outside: Idp) -> None:
    person = User.objects.create_user("clara", is_active=False)
    Identity.objects.update_or_create(user=person, defaults={"external_id": SUBJECT})
    assert failing(tried(staff, live, outside.token())) == ["Nobody of that external id is switched off here."]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"status": 500}, "not with 200"), ({"body": b"<html>"}, "not JSON"), ({"body": b"{}"}, "no list of keys")],
)
def test_why_the_keys_cannot_be_had_is_said(
    staff: StaffBrowser, live: Issuer, outside: Idp, change: dict[str, Any], words: str
) -> None:
    for name, value in change.items():
        setattr(outside, name, value)
    text = tried(staff, live, outside.token())
    assert words in text
    assert "The issuer publishes the key it names." in failing(text)
