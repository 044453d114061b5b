"""The compiled catalogue: complete, frozen, and without whatever cannot run."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from oauth_provider.keys.encryption import encrypt
from oauth_provider.keys.signing import create_signing_key, current_signing_key
from oauth_provider.scopes.models import Scope
from proxy.catalogue.credentials import (
    BasicCredential,
    BearerCredential,
    ClientCredentials,
    HeaderCredential,
    QueryCredential,
    seal,
)
from proxy.catalogue.issuer_plan import IssuerPlan
from proxy.catalogue.matching import NOTHING, Found, OtherMethods
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.paths import canonical
from proxy.catalogue.plans import bearer_challenge
from proxy.catalogue.snapshot import EMPTY, NO_MATCH, Match, Snapshot, build
from tests.proxy.plans import backend_plan

pytestmark = pytest.mark.django_db


def add(name: str = "jobs", *paths: str, **changes: Any) -> Backend:
    """Store a backend with a GET at each of `paths`."""
    fields: dict[str, Any] = {"prefix": f"/api/v1/{name}", "upstream_url": f"https://{name}.example/api"}
    backend = Backend.objects.create(name=name, **(fields | changes))
    for number, path in enumerate(paths):
        Operation.objects.create(backend=backend, operation_id=f"op{number}", methods=["GET"], path=path)
    return backend


def match(snapshot: Snapshot, path: str, method: str = "GET") -> Match:
    """Where `path` leads."""
    return snapshot.match(method, canonical(path.encode()))


def found(snapshot: Snapshot, path: str) -> tuple[str, str] | None:
    """Backend and template of the operation at `path`."""
    where = match(snapshot, path)
    if where.backend is None or not isinstance(where.result, Found):
        return None
    return where.backend.name, where.result.operation.template


def test_a_backend_is_compiled_with_everything_a_call_needs() -> None:
    add(
        "jobs", "/jobs",
        auth_mode="api_key", allow_private=True, timeout_ms=1500, connect_timeout_ms=250, max_request_bytes=7,
        max_response_bytes=9, max_concurrency=3, identity_headers=["X-Clerk-User-Id"],
    )  # fmt: skip
    plan = build(revision=4).backends["jobs"]
    assert (plan.base.host, plan.base.path, plan.auth_mode, plan.allow_private) == (
        "jobs.example",
        "/api",
        "api_key",
        True,
    )
    assert (plan.timeout_s, plan.connect_timeout_s) == (1.5, 0.25)
    assert (plan.max_request_bytes, plan.max_response_bytes, plan.max_concurrency) == (7, 9, 3)
    assert plan.identity_headers == ("X-Clerk-User-Id",)
    assert plan.resource == f"{settings.PUBLIC_BASE_URL}/api/v1/jobs"
    assert plan.resource_metadata == f"{settings.PUBLIC_BASE_URL}/.well-known/oauth-protected-resource/api/v1/jobs"


def test_an_operation_inherits_what_it_does_not_narrow() -> None:
    backend = add("jobs", "/plain", auth_mode="oauth", max_request_bytes=7)
    Operation.objects.create(
        backend=backend, operation_id="own", methods=["POST"], path="/own", auth_mode="public", max_request_bytes=0
    )
    snapshot = build(revision=1)
    plain, own = (match(snapshot, f"/api/v1/jobs{path}", m).result for path, m in (("/plain", "GET"), ("/own", "POST")))
    assert isinstance(plain, Found)
    assert isinstance(own, Found)
    assert (plain.operation.auth_mode, plain.operation.max_request_bytes) == ("oauth", 7)
    assert (own.operation.auth_mode, own.operation.max_request_bytes) == ("public", 0)


def test_a_choice_of_scopes_is_asked_for_by_its_first_and_listed_whole() -> None:
    backend = add()
    choice = {"any_scopes": ["z:first", "a:second"], "cost": 5, "tool_name": "op"}
    Operation.objects.create(
        backend=backend, operation_id="op", methods=["GET"], path="/a", scopes=["jobs:read"], **choice
    )
    snapshot = build(revision=1)
    where = match(snapshot, "/api/v1/jobs/a").result
    assert isinstance(where, Found)
    plan = where.operation
    assert (plan.scopes, plan.needs, plan.cost) == (("jobs:read", "z:first"), "jobs:read z:first|a:second", 5)
    assert [plan.admits(frozenset(held)) for held in ([], ["jobs:read"], ["a:second"], ["jobs:read", "a:second"])] == [
        False,
        False,
        False,
        True,
    ]
    assert snapshot.backends["jobs"].scopes == snapshot.servers["/mcp"].scopes == ("a:second", "jobs:read", "z:first")


def test_the_longest_prefix_decides_and_the_rest_is_kept_as_sent() -> None:
    add("jobs", "/**")
    add("eu", "/list/{id}", prefix="/api/v1/jobs/eu")
    snapshot = build(revision=1)
    assert found(snapshot, "/api/v1/jobs/eu/list/%20") == ("eu", "/api/v1/jobs/eu/list/{id}")
    assert match(snapshot, "/api/v1/jobs/eu/list/%20").rest == "/list/%20"
    assert found(snapshot, "/api/v1/jobs/europe") == ("jobs", "/api/v1/jobs/**")
    # Nothing falls back to the shorter prefix: the longer one is another resource with other rules
    assert found(snapshot, "/api/v1/jobs/eu/else") is None


@pytest.mark.parametrize("path", ["/api/v1/jobsx", "/api/v1/job", "/api/v1", "/api/v1/%6Aobs", "/api/v1/JOBS", "/x"])
def test_a_prefix_is_matched_segment_by_segment(path: str) -> None:
    add("jobs", "/**")
    assert match(build(revision=1), path) is NO_MATCH


def test_the_bare_prefix_is_the_backends_base() -> None:
    add("jobs", "/")
    snapshot = build(revision=1)
    assert found(snapshot, "/api/v1/jobs") == ("jobs", "/api/v1/jobs")
    assert match(snapshot, "/api/v1/jobs").rest == ""
    assert match(snapshot, "/api/v1/jobs/").result is NOTHING


def test_what_is_disabled_answers_nothing() -> None:
    add("off", "/**", enabled=False)
    Operation.objects.filter(backend=add("jobs", "/a", "/b"), path="/a").update(enabled=False)
    snapshot = build(revision=1)
    assert set(snapshot.backends) == {"jobs"}
    assert found(snapshot, "/api/v1/jobs/a") is None
    assert found(snapshot, "/api/v1/jobs/b") == ("jobs", "/api/v1/jobs/b")
    assert match(snapshot, "/api/v1/jobs/b", "PUT").result == OtherMethods(allow="GET, HEAD, OPTIONS")


def test_nothing_wider_answers_in_the_place_of_what_is_disabled() -> None:
    backend = add("jobs", "/{id}", "/**", "/files/**")
    Operation.objects.create(backend=backend, operation_id="make", methods=["POST"], path="/{id}")
    Operation.objects.filter(path__in=["/{id}", "/files/**"], methods=["GET"]).update(enabled=False)
    add("inner", "/**", prefix="/api/v1/jobs/inner", enabled=False)
    add("broken", "/**", prefix="/api/v1/jobs/broken", tls_ca="not PEM")
    snapshot = build(revision=1)
    assert match(snapshot, "/api/v1/jobs/files/a").result is NOTHING
    assert match(snapshot, "/api/v1/jobs/7").result == OtherMethods(allow="OPTIONS, POST")
    assert match(snapshot, "/api/v1/jobs/7", "HEAD").result == OtherMethods(allow="OPTIONS, POST")
    assert found(snapshot, "/api/v1/jobs/7/a") == ("jobs", "/api/v1/jobs/**")
    assert match(snapshot, "/api/v1/jobs/inner/a") == match(snapshot, "/api/v1/jobs/broken/a") == NO_MATCH


@pytest.mark.parametrize("sent", ["%61dmin", "a%64min", "%61%64%6D%69%6E"])
def test_an_encoding_does_not_lead_around_a_longer_prefix(sent: str) -> None:
    add("jobs", "/**")
    add("admin", "/**", prefix="/api/v1/jobs/admin")
    assert found(build(revision=1), "/api/v1/jobs/admin/x") == ("admin", "/api/v1/jobs/admin/**")
    assert match(build(revision=1), f"/api/v1/jobs/{sent}/x") is NO_MATCH
    Backend.objects.filter(name="admin").update(enabled=False)
    assert match(build(revision=2), f"/api/v1/jobs/{sent}/x") is NO_MATCH


def test_what_is_another_operation_when_decoded_again_is_nobodys() -> None:
    add("jobs", "/{id}", "/admin", "/files/**")
    add("inner", "/**", prefix="/api/v1/jobs/inner")
    snapshot = build(revision=1)
    assert found(snapshot, "/api/v1/jobs/%61dmin") == ("jobs", "/api/v1/jobs/admin")
    for path in ("/api/v1/jobs/%2561dmin", "/api/v1/jobs/%25%36%31dmin", "/api/v1/jobs/%252561dmin"):
        assert match(snapshot, path) is NO_MATCH
    assert match(snapshot, "/api/v1/jobs/%2569nner/x") is NO_MATCH
    # A value may look like an encoding
    assert match(snapshot, "/api/v1/jobs/%2541").rest == "/%2541"
    assert found(snapshot, "/api/v1/jobs/100%25") == ("jobs", "/api/v1/jobs/{id}")
    assert found(snapshot, "/api/v1/jobs/files/%2561dmin") == ("jobs", "/api/v1/jobs/files/**")
    assert found(snapshot, "/api/v1/jobs/%25ff") == ("jobs", "/api/v1/jobs/{id}")


@pytest.mark.parametrize("closed", ["/search", "/search/", "/{id}", "/"])
def test_a_slash_more_or_less_does_not_lead_around_what_is_disabled(closed: str) -> None:
    Operation.objects.filter(backend=add("jobs", closed, "/**"), path=closed).update(enabled=False)
    snapshot = build(revision=1)
    path = "/api/v1/jobs" + closed.replace("{id}", "7").rstrip("/")
    assert match(snapshot, path).result is match(snapshot, f"{path}/").result is NOTHING
    assert found(snapshot, "/api/v1/jobs/search/more") == ("jobs", "/api/v1/jobs/**")


def test_what_stands_at_the_other_slash_stays() -> None:
    Operation.objects.filter(backend=add("jobs", "/search", "/search/"), path="/search").update(enabled=False)
    assert found(build(revision=1), "/api/v1/jobs/search/") == ("jobs", "/api/v1/jobs/search/")


@pytest.mark.parametrize(
    "broken",
    [
        {"prefix": "/jobs"},
        {"upstream_url": "http://127.1/"},
        {"credential_sealed": "not sealed by us"},
        {"credential_sealed": encrypt(b"a bare secret")},
        {"credential_sealed": encrypt(b'{"type": "bearer", "password": "x"}')},
        {"tls_ca": "not PEM"},
        {"tls_client_certificate": "not PEM"},
        {"identity_headers": 7},
        {"operation": {"path": "/a/../b"}},
        {"operation": {"methods": 7}},
        {"operation": {"methods": "GET"}},
        {"operation": {"scopes": {}}},
        {"operation": {"tool_name": "op", "request_schema": {"type": "object", "$schema": "http://evil.example/"}}},
    ],
)
def test_a_backend_that_cannot_run_is_left_out_alone(broken: dict[str, Any]) -> None:
    operation = {"path": "/a", "methods": ["GET"], "scopes": []} | broken.get("operation", {})
    backend = add("broken", **{name: value for name, value in broken.items() if name != "operation"})
    Operation.objects.create(backend=backend, operation_id="op", **operation)
    add("jobs", "/a")
    assert set(build(revision=1).backends) == {"jobs"}


def test_a_credential_is_opened_once_and_shown_to_nobody() -> None:
    fetched = ClientCredentials(token_url="https://login.example/t", client_id="gateway", client_secret="s3cret")
    add("bearer", credential_sealed=seal(BearerCredential(token="s3cret")))
    add("named", credential_sealed=seal(HeaderCredential(name="X-Service-Key", value="s3cret")))
    add("basic", credential_sealed=seal(BasicCredential(username="josé", password="s3cret")))
    add("query", credential_sealed=seal(QueryCredential(name="api_key", value="s3cret&/é")))
    add("fetched", credential_sealed=seal(fetched))
    snapshot = build(revision=1)
    plans = snapshot.backends
    assert plans["bearer"].credential == ("Authorization", "Bearer s3cret")
    assert plans["named"].credential == ("X-Service-Key", "s3cret")
    assert plans["basic"].credential == ("Authorization", "Basic am9zw6k6czNjcmV0")
    assert plans["query"].credential_parameter == "api_key=s3cret%26%2F%C3%A9"
    assert plans["fetched"].client_credentials == fetched
    assert [plans[name].own_headers for name in ("named", "fetched", "query")] == [
        {"xservicekey"},
        {"authorization"},
        frozenset(),
    ]
    assert "s3cret" not in repr(snapshot)


def test_the_signing_key_is_the_one_in_force() -> None:
    create_signing_key()
    assert build(revision=1).signing_key == current_signing_key()


def test_without_a_readable_signing_key_the_catalogue_still_stands(settings: Settings) -> None:
    create_signing_key()
    add("jobs", "/a")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    snapshot = build(revision=1)
    assert snapshot.signing_key is None
    assert set(snapshot.backends) == {"jobs"}


def test_scopes_and_takers_of_tokens() -> None:
    Scope.objects.create(name="jobs:read", title="Search jobs")
    Scope.objects.create(name="jobs:write", title="Apply", enabled=False)
    backend = add("jobs", auth_mode="public")
    for number, scopes in enumerate((["jobs:write"], ["jobs:read", "jobs:write"])):
        Operation.objects.create(
            backend=backend,
            operation_id=f"o{number}",
            methods=["GET"],
            path=f"/{number}",
            scopes=scopes,
            auth_mode="oauth",
        )
    add("open", "/a", auth_mode="public")
    snapshot = build(revision=1)
    assert snapshot.enabled_scopes == {"jobs:read"}
    assert snapshot.backends["jobs"].scopes == ("jobs:read", "jobs:write")
    assert (snapshot.backends["jobs"].takes_tokens, snapshot.backends["open"].takes_tokens) == (True, False)


def test_the_number_of_statements_does_not_depend_on_the_catalogue(
    django_assert_num_queries: Any,
) -> None:
    create_signing_key()
    for number in range(5):
        add(f"jobs{number}", "/a", "/b")
    captured: CaptureQueriesContext
    with django_assert_num_queries(7) as captured:
        build(revision=1)
    assert len(captured) == 7


def test_a_resource_is_found_by_its_exact_path() -> None:
    plan = backend_plan()
    snapshot = build(revision=1)
    assert snapshot.resource_at("/api/v1/jobs") is None
    add("jobs", "/a")
    found_plan = build(revision=1).resource_at("/api/v1/jobs")
    assert found_plan is not None
    assert found_plan.resource == plan.resource
    assert build(revision=1).resource_at("/api/v1/jobs/") is None


def test_a_snapshot_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        EMPTY.revision = 3  # type: ignore[misc]


def test_a_challenge_names_document_scopes_and_error() -> None:
    assert bearer_challenge("https://g/doc") == 'Bearer resource_metadata="https://g/doc"'
    assert bearer_challenge("https://g/doc", ("a", "b"), "insufficient_scope") == (
        'Bearer resource_metadata="https://g/doc", scope="a b", error="insufficient_scope", '
        'error_description="The access token lacks a permission that this operation needs"'
    )


def test_what_each_backend_asks_for_and_whose_tokens_count() -> None:
    backend = add("jobs", auth_mode="issuer")
    Operation.objects.create(
        backend=backend, operation_id="own", methods=["GET"], path="/", scopes=[], auth_mode="oauth"
    )
    add("outside", "/a", auth_mode="issuer")
    add("keyed", "/a", auth_mode="api_key")
    plan = IssuerPlan("clerk", "https://clerk.example", frozenset(), "", frozenset())
    snapshot = build(revision=1, read_issuers=lambda: {plan.issuer: plan})
    assert snapshot.issuers == {"https://clerk.example": plan}
    assert build(revision=1).issuers == {}
    assert {name: sorted(found.modes) for name, found in snapshot.backends.items()} == {
        "jobs": ["issuer", "oauth"],
        "outside": ["issuer"],
        "keyed": ["api_key"],
    }
    assert [snapshot.backends[name].takes_tokens for name in ("jobs", "outside", "keyed")] == [True, True, False]
