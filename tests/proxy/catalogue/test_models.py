"""Backends and operations: whatever the data plane could not run is refused by field."""

from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from oauth_provider.scopes.models import Scope
from proxy.catalogue.credentials import HeaderCredential, QueryCredential, seal
from proxy.catalogue.models import AuthMode, Backend, Operation

pytestmark = pytest.mark.django_db


def backend(**changes: Any) -> Backend:
    """A backend that is not stored yet."""
    fields: dict[str, Any] = {"name": "jobs", "prefix": "/api/v1/jobs", "upstream_url": "https://jobs.example/api"}
    return Backend(**(fields | changes))


def operation(**changes: Any) -> Operation:
    """An operation of a stored backend."""
    home = backend()
    home.save()
    fields: dict[str, Any] = {"backend": home, "operation_id": "list", "methods": ["GET"], "path": "/jobs"}
    return Operation(**(fields | changes))


def test_a_complete_backend_and_its_operation_pass() -> None:
    Scope.objects.create(name="jobs:read", title="Search jobs")
    backend(
        identity_headers=["X-Clerk-User-Id"],
        identity_query="user_id",
        credential_sealed=seal(HeaderCredential(name="X-Service-Key", value="x")),
    ).full_clean()
    operation(scopes=["jobs:read"], path="/jobs/{id}/**", methods=["GET", "DELETE"]).full_clean()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "no spaces"),
        ("prefix", "/jobs"),
        ("prefix", "/api/v1/jobs/"),
        ("prefix", "/api/v1/gpt/oauth"),
        ("prefix", "/api/v1/gpt/oauth/token"),
        ("upstream_url", "http://user@jobs.example"),
        ("upstream_url", settings.PUBLIC_BASE_URL),
        ("auth_mode", "trust"),
        ("timeout_ms", 99),
        ("timeout_ms", 600_001),
        ("connect_timeout_ms", 49),
        ("max_request_bytes", 1_073_741_825),
        ("max_concurrency", 0),
        ("identity_headers", "X-Clerk-User-Id"),
        ("identity_headers", {"X-Clerk-User-Id": ""}),
        ("identity_headers", [7]),
        ("identity_headers", [""]),
        ("identity_headers", ["X Clerk"]),
        ("identity_headers", ["X_Clerk_User_Id"]),
        ("identity_headers", ["X-Clerk-User-Id\r\nX-Evil"]),
        ("identity_headers", ["Host"]),
        ("identity_headers", ["Authorization"]),
        ("identity_headers", ["X-Gateway-Identity"]),
        ("identity_headers", ["X-User-Id"]),
        ("identity_headers", ["X-Client-Id"]),
        ("identity_headers", ["X-Forwarded-For"]),
        ("identity_headers", ["Traceparent"]),
        ("identity_headers", ["X-Clerk-User-Id", "x-clerk-user-id"]),
        ("identity_headers", ["X-Clerk-User-Id", "X-ClerkUser-Id"]),
        ("identity_query", "user id"),
        ("identity_query", "user&id"),
        ("identity_query", "x" * 61),
        ("tls_ca", "not PEM"),
        ("tls_client_certificate", "not PEM"),
    ],
)
def test_a_backend_that_cannot_run_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        backend(**{field: value}).full_clean()
    assert set(refusal.value.message_dict) == {field}


@pytest.mark.parametrize("prefix", ["/api/v1/gpt", "/api/v1/gpt/oauth2"])
def test_a_prefix_beside_the_authorization_server_passes(prefix: str) -> None:
    backend(prefix=prefix).full_clean()


def test_one_header_cannot_carry_both_the_user_and_the_credential() -> None:
    with pytest.raises(ValidationError) as refusal:
        backend(
            identity_headers=["X-Caller"], credential_sealed=seal(HeaderCredential(name="xcaller", value="x"))
        ).full_clean()
    assert set(refusal.value.message_dict) == {"credential"}


def test_one_parameter_cannot_carry_both_the_user_and_the_credential() -> None:
    with pytest.raises(ValidationError) as refusal:
        backend(
            identity_query="user_id", credential_sealed=seal(QueryCredential(name="User.Id", value="x"))
        ).full_clean()
    assert set(refusal.value.message_dict) == {"credential"}


def test_every_fault_is_named_at_once() -> None:
    faulty = backend(prefix="/", upstream_url="x", identity_headers=["Host"], identity_query="a b")
    with pytest.raises(ValidationError) as refusal:
        faulty.full_clean()
    assert set(refusal.value.message_dict) == {"prefix", "upstream_url", "identity_headers", "identity_query"}


@pytest.mark.parametrize("field", ["name", "prefix"])
def test_name_and_prefix_belong_to_one_backend(field: str) -> None:
    backend().save()
    other = {"name": "people", "prefix": "/api/v1/people"} | {field: getattr(backend(), field)}
    with pytest.raises(ValidationError) as refusal:
        backend(**other).full_clean()
    assert set(refusal.value.message_dict) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "jobs"),
        ("path", "/jobs/../x"),
        ("path", "/**/x"),
        ("methods", []),
        ("methods", "GET"),
        ("methods", ["get"]),
        ("methods", ["HEAD"]),
        ("methods", ["OPTIONS"]),
        ("methods", ["GET", 7]),
        ("scopes", "jobs:read"),
        ("scopes", [7]),
        ("scopes", ["no:such"]),
        ("operation_id", "list jobs"),
        ("auth_mode", "trust"),
    ],
)
def test_an_operation_that_cannot_run_is_refused_by_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        operation(**{field: value}).full_clean()
    assert set(refusal.value.message_dict) == {field}


def test_a_missing_scope_is_named() -> None:
    Scope.objects.create(name="jobs:read", title="Search jobs")
    with pytest.raises(ValidationError, match=r"No such scope: a:b, c:d\."):
        operation(scopes=["c:d", "jobs:read", "a:b"]).full_clean()


def test_an_operation_id_is_unique_within_its_backend() -> None:
    operation().save()
    with pytest.raises(ValidationError):
        Operation(backend=Backend.objects.get(), operation_id="list", methods=["POST"], path="/x").full_clean()


def test_who_may_call_defaults_to_a_sign_in() -> None:
    assert backend().auth_mode == AuthMode.OAUTH
