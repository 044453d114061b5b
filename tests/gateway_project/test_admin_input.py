"""Nothing that is sent to a page of the admin breaks it."""

import pytest

from oauth_provider.api_keys.create import create_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client
from oauth_provider.connections.grant import grant_connection
from oauth_provider.registration.models import ListedClient, RegistrationPolicy
from oauth_provider.resources.models import Resource
from oauth_provider.scopes.models import Scope
from proxy.catalogue.credentials import BearerCredential
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.issuers.models import Issuer
from proxy.issuers.save import save_issuer
from tests.staff_browser import FormReader, StaffBrowser

FORMS = [
    "oauth_provider/client/add/",
    "oauth_provider/client/{client}/change/",
    "oauth_provider/client/{client}/suspend/",
    "oauth_provider/client/{client}/new-secret/",
    "oauth_provider/client/{newcomer}/approve/",
    "oauth_provider/client/{newcomer}/decline/",
    "oauth_provider/client/{newcomer}/trust/",
    "oauth_provider/registrationpolicy/{policy}/change/",
    "oauth_provider/listedclient/add/",
    "oauth_provider/listedclient/{listed}/change/",
    "oauth_provider/initialaccesstoken/add/",
    "oauth_provider/scope/add/",
    "oauth_provider/scope/{scope}/change/",
    "oauth_provider/connection/{connection}/revoke/",
    "oauth_provider/apikey/add/",
    "oauth_provider/stafftoken/add/",
    "oauth_provider/apikey/{key}/disable/",
    "proxy/backend/add/",
    "proxy/backend/{backend}/change/",
    "proxy/backend/{backend}/delete/",
    "proxy/operation/add/",
    "proxy/operation/{operation}/change/",
    "proxy/issuer/add/",
    "proxy/issuer/{issuer}/change/",
    "proxy/issuer/{issuer}/check/",
    "auth/user/add/",
    "auth/user/{user}/change/",
    "auth/user/{user}/password/",
    "auth/group/add/",
    "password_change/",
]
NASTY = {
    "NUL": "a\x00b",
    "long": "x" * 70_000,
    "far too large a number": "9" * 40,
    "digits of another script": "٣",
    "markup": "\"'><script>alert(1)</script>",
    "not a character": "\ufffe\U0010ffff",
    "line breaks": "a\r\nSet-Cookie: b=c",
    "address": "https://[::1",
}

# What no form offers
OTHERS = {"unknown", "post", "_save", "_continue", "_popup", "_to_field"}


@pytest.fixture
def numbers(staff: StaffBrowser) -> dict[str, object]:
    """One object of each kind, and what their addresses are made of."""
    scope = Scope.objects.create(name="jobs:read", title="Search jobs")
    backend = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example")
    save_backend(backend=backend, actor=None, credential=BearerCredential(token="abc"))
    operation = Operation(backend=backend, operation_id="search", methods=["GET"], path="/a", scopes=["jobs:read"])
    save_operation(operation=operation, actor=None)
    client = create_client(
        preset="gpt", name="Copilot", scopes=("jobs:read",), default_resource=backend.prefix, actor=None
    ).client
    connection = grant_connection(
        user=staff.user,
        client=client,
        resource=Resource.objects.get(),
        redirect_host="chatgpt.com",
        scopes=["jobs:read"],
        shown_digest="",
        shown_locale="en",
    )
    create_api_key(name="Nightly", scopes="", actor=None)
    # Nobody listens at its JWKS URL
    issuer = Issuer(
        name="clerk", issuer="https://clerk.example", audience="a", jwks_url="http://127.0.0.1:9/", allow_private=True
    )
    save_issuer(issuer=issuer, actor=None)
    return {
        "issuer": issuer.pk,
        "client": client.pk,
        "scope": scope.pk,
        "backend": backend.pk,
        "operation": operation.pk,
        "connection": connection.pk,
        "user": staff.user.pk,
        "key": ApiKey.objects.get().pk,
        "newcomer": Client.objects.create(name="Newcomer", origin="dynamic", approval="pending", fingerprint="f").pk,
        "policy": RegistrationPolicy.objects.create().pk,
        "listed": ListedClient.objects.create(verdict="allowed", value="https://app.example/client.json").pk,
    }


@pytest.mark.parametrize("form", FORMS)
def test_no_value_breaks_a_form(staff: StaffBrowser, numbers: dict[str, object], form: str) -> None:
    address = f"/admin/{form.format(**numbers)}"
    reader = FormReader()
    reader.feed(staff.text(address))
    names = set().union(*(found.names for found in reader.forms), OTHERS)
    for value in NASTY.values():
        answer = staff.http.post(address, dict.fromkeys(names, value))
        assert answer.status_code in {200, 302, 400}, value[:40]
        assert "<script>alert(1)" not in answer.content.decode()


@pytest.mark.parametrize("form", FORMS)
def test_no_body_and_no_method_breaks_a_page(staff: StaffBrowser, numbers: dict[str, object], form: str) -> None:
    address = f"/admin/{form.format(**numbers)}"
    bodies = [
        (b"\xff\xfe=%ff%00&name=%c3%28", "application/x-www-form-urlencoded"),
        (b"name=" + b"&a=1" * 300, "application/x-www-form-urlencoded"),
        (b'{"name": 1}', "application/json"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"a", ""),
    ]
    for body, kind in bodies:
        assert staff.http.generic("POST", address, body, content_type=kind).status_code in {200, 302, 400}, kind
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
        assert staff.http.generic(method, address).status_code < 500, method
