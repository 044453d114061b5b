"""The admin as a place: who gets in, what its first page says, and that no page of it breaks."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client
from oauth_provider.connections.grant import grant_connection
from oauth_provider.identities.external_id import user_ref
from oauth_provider.resources.models import Resource
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.issuers.models import Issuer
from proxy.issuers.save import save_issuer
from tests.staff_browser import StaffBrowser, last_event, make_staff

OURS = {
    "audit.Event",
    "auth.Group",
    "auth.User",
    "oauth_provider.ApiKey",
    "oauth_provider.Client",
    "oauth_provider.Connection",
    "oauth_provider.InitialAccessToken",
    "oauth_provider.ListedClient",
    "oauth_provider.MetadataDocument",
    "oauth_provider.RegistrationPolicy",
    "oauth_provider.Scope",
    "oauth_provider.SigningKey",
    "oauth_provider.StaffToken",
    "proxy.Backend",
    "proxy.BackendCheck",
    "proxy.Issuer",
    "proxy.Limit",
    "proxy.McpServer",
    "proxy.Operation",
    "proxy.UiResource",
}


def add_backend() -> Backend:
    """A backend with one operation."""
    Scope.objects.create(name="jobs:read", title="Search jobs")
    backend = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example")
    save_backend(backend=backend, actor=None)
    operation = Operation(backend=backend, operation_id="search", methods=["GET"], path="/", scopes=["jobs:read"])
    save_operation(operation=operation, actor=None)
    return backend


def add_gpt(callback: str = "") -> Client:
    """A GPT's client."""
    return create_client(
        preset="gpt",
        name="Copilot",
        scopes=("jobs:read",),
        default_resource="/api/v1/jobs",
        gpt=callback,
        actor=None,
    ).client


def test_only_our_pages_are_registered() -> None:
    assert {model._meta.label for model in admin.site._registry} == OURS  # noqa: SLF001 - Django has no public list


def test_sign_in_is_everybodys(db: None) -> None:
    del db
    answer = Browser().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"


def test_the_address_is_found_without_its_slash(staff: StaffBrowser) -> None:
    assert staff.open("/admin").headers["Location"] == "/admin/"


def test_signing_in_leads_back_to_where_one_wanted_to_go(db: None) -> None:
    del db
    User.objects.create_superuser("maria", password="unlikely words")
    browser = Browser()
    where = browser.get("/admin/audit/event/?q=x", follow=True).redirect_chain[-1][0]
    next_page = where.partition("next=")[2]
    sent = {"username": "maria", "password": "unlikely words", "next": "/admin/audit/event/?q=x"}
    assert next_page == "%2Fadmin%2Faudit%2Fevent%2F%3Fq%3Dx"
    assert browser.post("/accounts/login/", sent).headers["Location"] == "/admin/audit/event/?q=x"
    assert last_event(kind=Kind.ACCOUNT_SIGNIN_SUCCEEDED).subject


def test_a_person_who_is_not_staff_is_told_so(db: None) -> None:
    del db
    browser = Browser()
    browser.force_login(User.objects.create_user("ana"), backend="django.contrib.auth.backends.ModelBackend")
    assert "not one of the staff" in browser.get("/admin/", follow=True).content.decode()


def test_signing_out_is_recorded(staff: StaffBrowser) -> None:
    staff.http.post("/admin/logout/")
    assert last_event(kind=Kind.ACCOUNT_SIGNOUT_SUCCEEDED).subject
    assert staff.open("/admin/").status_code == 302


def test_a_new_password_of_ones_own_is_recorded(staff: StaffBrowser) -> None:
    new = "another unlikely one"
    sent = {"old_password": "for tests only", "new_password1": new, "new_password2": new}
    staff.fill("/admin/password_change/", **sent)
    staff.user.refresh_from_db()
    assert staff.user.check_password(new)
    assert last_event(kind=Kind.ADMIN_OBJECT_CHANGED).fields == ["password"]


def test_first_page_shows_the_road_to_a_gpt(staff: StaffBrowser) -> None:
    text = staff.text("/admin/")
    assert "Connect a GPT" in text
    assert text.count("gh-done") == 0
    assert reverse("admin:proxy_backend_add") in text


def test_first_page_ticks_off_what_is_done(staff: StaffBrowser) -> None:
    add_backend()
    client = add_gpt()
    text = staff.text("/admin/")
    assert text.count("gh-done") == 3
    assert client.get_absolute_url() in text
    assert "waits for its callback" in text
    client.redirect_uris = "https://chatgpt.com/aip/g-a/oauth/callback"
    client.save()
    grant_connection(
        user=staff.user,
        client=client,
        resource=Resource.objects.get(),
        redirect_host="chatgpt.com",
        scopes=["jobs:read"],
        shown_digest="",
        shown_locale="en",
    )
    assert "Connect another GPT" in staff.text("/admin/")


def test_first_page_names_operations_nobody_can_call(staff: StaffBrowser) -> None:
    add_backend()
    Scope.objects.update(enabled=False)
    assert "Nobody can call search" in staff.text("/admin/")


def test_first_page_names_backends_that_wait_for_an_issuer(staff: StaffBrowser) -> None:
    backend = add_backend()
    backend.auth_mode = "issuer"
    save_backend(backend=backend, actor=None)
    assert "Nobody can call jobs: no issuer is enabled." in staff.text("/admin/")
    issuer = Issuer(name="clerk", issuer="https://clerk.example", audience="a", jwks_url="https://clerk.example/keys")
    save_issuer(issuer=issuer, actor=None)
    assert "no issuer is enabled" not in staff.text("/admin/")


def test_first_page_names_each_program_that_waits_for_approval_once(staff: StaffBrowser) -> None:
    for number in range(2):
        Client.objects.create(client_id=f"r{number}", name="Claude", approval="pending", fingerprint="f")
    assert staff.text("/admin/").count("Claude waits for approval.") == 1
    for number in range(7):
        Client.objects.create(client_id=f"p{number}", name="Many", approval="pending", fingerprint=f"p{number}")
    assert "8 programs wait for approval." in staff.text("/admin/")


def test_first_page_shows_what_was_refused_last(staff: StaffBrowser) -> None:
    add_backend()
    record(kind=Kind.PROXY_CALL_DECIDED, decision=Decision.DENY, reason="expired", user=user_ref(staff.user))
    assert "expired" in staff.text("/admin/")


def test_first_page_shows_nothing_one_may_not_see(db: None) -> None:
    del db
    add_backend()
    add_gpt()
    record(kind=Kind.PROXY_CALL_DECIDED, decision=Decision.DENY, reason="expired")
    text = StaffBrowser(make_staff("nils")).text("/admin/")
    for hidden in ("Copilot", "expired", "operations", "Create a client"):
        assert hidden not in text
    assert "has no role yet" in text


def test_sidebar_offers_what_one_may_see(db: None) -> None:
    del db
    text = StaffBrowser(make_staff("sam", "oauth_provider.view_connection")).text("/admin/")
    assert "/admin/oauth_provider/connection/" in text
    assert "/admin/oauth_provider/client/" not in text


def test_an_empty_list_says_what_belongs_there_and_a_search_that_nothing_fits(staff: StaffBrowser) -> None:
    address = reverse("admin:proxy_limit_changelist")
    assert "RATE_LIMIT_MAX" in staff.text(address)
    assert "Nothing fits the search" in staff.text(address, q="nothing")


@pytest.mark.parametrize(
    "query", ["s=a&page=x", "s=a&page=99", "s=a&page=-1", "s=a&page=0", "s=%00", "s=client", "", "extended=1"]
)
def test_no_query_breaks_the_search(staff: StaffBrowser, query: str) -> None:
    assert staff.open(f"/admin/search/?{query}").status_code in {200, 400, 404}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "oauth_provider/",
        "proxy/",
        "audit/",
        "auth/",
        "nothing/",
        "autocomplete/",
        "autocomplete/?term=%00",
        "autocomplete/?app_label=auth&model_name=user&field_name=x&term=a",
        "jsi18n/",
        "r/x/y/",
        "r/1/99999999999999999999/",
        "password_change/done/",
        "login/?next=//evil.example/",
        "oauth_provider/client/add/?preset=%00",
        "oauth_provider/client/add/?_popup=1&_to_field=x",
        "proxy/operation/add/?backend=x",
        "proxy/operation/add/?backend=%ff",
        "proxy/operation/add/?methods=GET&scopes=x",
        "auth/user/add/?username=%00",
        "oauth_provider/scope/add/?enabled=x",
    ],
)
def test_no_address_breaks_the_admin(staff: StaffBrowser, path: str) -> None:
    assert staff.open(f"/admin/{path}").status_code in {200, 302, 400, 403, 404}


@pytest.mark.parametrize("label", sorted(OURS))
def test_every_list_opens_empty_and_in_portuguese(staff: StaffBrowser, label: str) -> None:
    model = apps.get_model(label)._meta
    page = staff.http.get(
        f"/admin/{model.app_label}/{model.model_name}/", headers={"Accept-Language": "pt-br"}, follow=True
    )
    assert page.status_code == 200
    assert '<html lang="pt-br"' in page.content.decode()
