"""Who somebody is who comes from the company's provider: the subject decides, and nothing else."""

from functools import partial

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client as Browser
from pytest_django import Settings

from audit.ledger.kinds import Decision, Kind
from audit.ledger.models import Event
from oauth_provider.identities.models import Identity
from tests.at_once import at_once
from tests.management_api import REASON, Api
from tests.management_api import errors_of as errors_of_call
from tests.oauth_provider.identities.provider.company import Provider, come, is_signed_in
from tests.staff_browser import StaffBrowser, errors_of, last_event


def test_the_first_sign_in_makes_the_account(client: Browser, provider: Provider) -> None:
    answer = come(client, provider, "/connected-apps/?a=1")
    assert (answer.status_code, answer["Location"]) == (302, "/connected-apps/?a=1")
    user = User.objects.get()
    assert (user.username, user.email, user.get_full_name()) == ("maria", "maria@acme.example", "Maria Souza")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert (user.identity.external_id, user.identity.email_verified) == ("u-maria", True)
    link = SocialAccount.objects.get()
    assert (link.user_id, link.provider, link.uid, link.extra_data) == (user.pk, provider.issuer, "u-maria", {})
    kinds = Event.objects.filter(kind__startswith="account:").order_by("timestamp", "id").values_list("kind", "target")
    target = f"issuer:{provider.issuer}"
    assert list(kinds) == [("account:identity:linked", target), ("account:signin:succeeded", target)]


def test_the_second_time_she_is_the_same_person_whatever_else_changed(client: Browser, provider: Provider) -> None:
    come(client, provider)
    provider.person |= {"email": "m.souza@acme.example", "email_verified": False, "preferred_username": "root"}
    come(Browser(), provider)
    user = User.objects.get()
    assert (user.username, user.email, user.identity.email_verified) == ("maria", "m.souza@acme.example", False)
    event = last_event(kind=Kind.ACCOUNT_IDENTITY_CHANGED)
    assert event.fields == ["email", "email_verified"]
    assert "souza" not in str(event.__dict__)


def test_another_subject_is_another_person(client: Browser, provider: Provider) -> None:
    come(client, provider)
    provider.person |= {"sub": "u-joao", "email": "joao@acme.example"}
    come(Browser(), provider)
    assert set(Identity.objects.values_list("external_id", flat=True)) == {"u-maria", "u-joao"}
    # Names of people are for people: the second “maria” got one of her own
    assert User.objects.filter(username__startswith="maria").count() == 2


def test_the_same_subject_of_another_issuer_is_somebody_else(client: Browser, provider: Provider) -> None:
    stranger = User.objects.create_user("stranger")
    SocialAccount.objects.create(user=stranger, provider="https://other.example", uid="u-maria")
    come(client, provider)
    assert int(client.session["_auth_user_id"]) != stranger.pk


def test_whoever_is_deactivated_stays_out(client: Browser, provider: Provider) -> None:
    come(client, provider)
    User.objects.update(is_active=False)
    other = Browser()
    answer = come(other, provider)
    assert (answer.status_code, is_signed_in(other)) == (403, False)
    assert b"switched off" in answer.content
    event = last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED)
    assert (event.reason, event.decision) == ("deactivated", Decision.DENY)


@pytest.mark.parametrize("email", ["maria@acme.example", "MARIA@Acme.example"])
def test_an_address_that_somebody_here_has_links_nothing_and_tells_nothing(
    client: Browser, provider: Provider, email: str
) -> None:
    local = User.objects.create_user("local", email=email, password="x")
    answer = come(client, provider)
    assert (answer.status_code, is_signed_in(client)) == (403, False)
    assert list(User.objects.all()) == [local]
    assert not SocialAccount.objects.exists()
    html = answer.content.decode()
    assert "u-maria" in html
    assert provider.issuer in html
    assert "acme.example" not in html
    assert "email_taken" not in html
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED).reason == "email_taken"


def test_an_external_id_that_somebody_here_has_links_nothing(client: Browser, provider: Provider) -> None:
    Identity.objects.create(user=User.objects.create_user("local"), external_id="u-maria")
    assert come(client, provider).status_code == 403
    assert not is_signed_in(client)
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_FAILED).reason == "external_id_taken"


def test_staff_link_by_subject_with_a_reason(client: Browser, provider: Provider, staff: StaffBrowser) -> None:
    local = User.objects.create_user("local", email="maria@acme.example")
    page = f"/admin/auth/user/{local.pk}/change/"
    assert "reason" in errors_of(staff.fill(page, subject="u-maria"))
    staff.fill(page, subject="u-maria", reason="She showed her badge")
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.fields, event.note) == (["subject"], "She showed her badge")
    come(client, provider)
    assert int(client.session["_auth_user_id"]) == local.pk
    # One subject, one person
    other = User.objects.create_user("other")
    assert "subject" in errors_of(staff.fill(f"/admin/auth/user/{other.pk}/change/", subject="u-maria", reason="x"))
    assert "subject" in errors_of(staff.fill(page, subject="é", reason="x"))
    staff.fill(page, subject="", reason="She left")
    assert not SocialAccount.objects.exists()


def test_scripts_link_before_the_first_sign_in(client: Browser, provider: Provider, api: Api) -> None:
    made = api.made("users/", username="local", email="maria@acme.example", subject="u-maria")
    assert "subject" not in made
    come(client, provider)
    assert int(client.session["_auth_user_id"]) == made["id"]
    assert "subject" in errors_of_call(api.post("users/", {"username": "other", "subject": "u-maria"}))
    page = f"users/{made['id']}/"
    assert "X-Reason" in errors_of_call(api.patch(page, {"subject": "u-other"}))
    assert api.patch(page, {"subject": ""}, **REASON).status_code == 200
    assert not SocialAccount.objects.exists()


def test_without_a_provider_there_is_nobody_to_link_to(api: Api) -> None:
    assert "subject" in errors_of_call(api.post("users/", {"username": "other", "subject": "u-maria"}))


@pytest.mark.parametrize(
    ("value", "external_id"),
    [("E-4711", "E-4711"), (4711, "4711"), ("a b", ""), (None, ""), (True, ""), (["a"], ""), ("local:7", "")],
)
def test_backends_get_the_claim_the_operator_chose(
    client: Browser, provider: Provider, settings: Settings, value: object, external_id: str
) -> None:
    settings.SIGN_IN_EXTERNAL_ID_CLAIM = "https://acme.example/employee"
    provider.userinfo = {"https://acme.example/employee": value}
    come(client, provider)
    assert list(Identity.objects.values_list("external_id", flat=True)) == ([external_id] if external_id else [])
    assert is_signed_in(client) is bool(external_id)


@pytest.mark.parametrize(
    "odd",
    [
        {"email": "no address"},
        {"email": ["maria@acme.example"]},
        {"email": "x" * 300 + "@acme.example"},
        {"email": None, "email_verified": True},
        {"preferred_username": 5, "given_name": {"a": 1}, "family_name": None},
        {"preferred_username": "<b>\x00\ud800", "given_name": "\x00\ud800"},
    ],
)
def test_odd_claims_make_an_account_without_them(client: Browser, provider: Provider, odd: dict[str, object]) -> None:
    provider.person |= odd
    assert come(client, provider).status_code == 302
    user = User.objects.get()
    assert "<" not in user.username
    assert user.identity.email_verified is (user.email == "maria@acme.example")


@pytest.mark.parametrize("subject", ["", "x" * 192, "é", "a\x00b", "\ud800", 5, None])
def test_a_subject_that_is_none_is_refused(client: Browser, provider: Provider, subject: object) -> None:
    provider.person["sub"] = subject
    assert come(client, provider).status_code == 400
    assert not User.objects.exists()


def status(browser: Browser, provider: Provider) -> int:
    """Of the answer to the return."""
    return int(come(browser, provider).status_code)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_at_once_make_one_account(provider: Provider) -> None:
    browsers = [Browser() for _ in range(6)]
    answers = at_once([partial(status, browser, provider) for browser in browsers])
    assert answers == [302] * 6
    assert User.objects.count() == 1
    assert all(is_signed_in(browser) for browser in browsers)
