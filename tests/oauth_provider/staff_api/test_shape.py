"""What every resource answers alike: pages, refusals, the document."""

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from oauth_provider.scopes.models import Scope
from tests.management_api import REASON, ROOT, Api, errors_of

LISTS = ["backends", "operations", "scopes", "resources", "clients", "users", "connections", "api-keys", "issuers",
         "listed-clients", "invitations", "audit/events"]  # fmt: skip

NONSENSE = ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=W10", "cursor=WyIxIl0x", "cursor=%00", "unknown=1",
            "limit=1&limit=2"]  # fmt: skip
NOWHERE = ["backends/", "nothing/", "backends/none/", "users/99999999999999999999999/", "users/0/", "clients/%00/",
           "scopes/a%00b/", "scopes/%ff/", "connections/1/"]  # fmt: skip


def test_pages_follow_each_other_without_a_gap(api: Api) -> None:
    Scope.objects.bulk_create(Scope(name=f"s:{number:02}", title="S") for number in range(7))
    names, address = [], "scopes/?limit=3"
    while address:
        page = api.get(address).json()
        assert page["count"] == 7
        names += [row["name"] for row in page["results"]]
        address = page["next"]
        # Rows that go away in between move nothing
        Scope.objects.filter(name="s:00").update(name="s:000")
    assert names == sorted(set(names))
    assert len(names) == 7


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", NONSENSE)
def test_a_query_that_means_nothing_is_refused_by_name(api: Api, path: str, query: str) -> None:
    assert query.partition("=")[0] in errors_of(api.get(f"{path}/?{query}"))


def test_a_reads_cost_does_not_grow_with_its_rows(api: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    api.made("scopes/", name="s", title="S")
    for number in range(12):
        api.made("backends/", name=f"b{number}", upstream_url="https://jobs.example")
        api.made("operations/", backend=f"b{number}", method="GET", path="/", scopes=["s"])
        api.made("clients/", name=f"c{number}", preset="service", scopes=["s"])
        api.made("users/", username=f"u{number}", external_id=f"u{number}")
        url = f"https://i{number}.example"
        api.made("issuers/", name=f"i{number}", issuer=url, audience="a", jwks_url=url)
    for path, queries in [("backends", 4), ("operations", 4), ("scopes", 4), ("resources", 8), ("clients", 4),
                          ("users", 3), ("connections", 3), ("api-keys", 4), ("issuers", 4),
                          ("audit/events", 5)]:  # fmt: skip
        with django_assert_num_queries(queries):
            assert api.get(f"{path}/").status_code == 200


@pytest.mark.parametrize(
    "body", ["", "{", "[", "{}x", '{"a": NaN}', '{"name": 1, "name": 2}', "\ud800", "[" * 100_000, r'{"\ud800": 1}']
)
def test_a_body_that_is_no_json_is_refused(api: Api, body: str) -> None:
    data = body.encode("utf-8", "surrogatepass")
    answer = api.http.post(f"{ROOT}scopes/", data, content_type="application/json")
    errors_of(answer)


@pytest.mark.parametrize("body", [None, 1, "text", [], [1], {"name": ["a"]}, [[]], {"name": {"a": 1}}])
@pytest.mark.parametrize("path", [*LISTS[:6], "api-keys", "issuers", "listed-clients", "invitations"])
def test_a_body_of_another_shape_is_refused_by_field(api: Api, path: str, body: Any) -> None:
    answer = api.http.post(f"{ROOT}{path}/", json.dumps(body), content_type="application/json")
    assert answer.status_code == (201 if body == [] and path in {"scopes", "operations"} else 400)


def test_a_form_is_refused(api: Api) -> None:
    errors_of(api.http.post(f"{ROOT}scopes/", {"name": "a"}), 415)


@pytest.mark.parametrize("path", NOWHERE)
@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE", "PATCH", "DELETE", "OPTIONS"])
def test_an_address_that_leads_nowhere_is_refused_as_everything_else(api: Api, path: str, method: str) -> None:
    answer = api.http.generic(method, ROOT + path, b"{}", content_type="application/json", headers=REASON)
    if (method, path) == ("GET", "backends/"):
        assert answer.status_code == 200
        return
    assert answer.status_code in {403, 404, 405}
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["backends/", "users/0/", "audit/events/", "nothing/", "schema/"])
def test_allow_names_no_method_that_is_refused(api: Api, path: str) -> None:
    refused = api.http.generic("OPTIONS", ROOT + path)
    assert refused.status_code in {404, 405}
    allowed = {name.strip() for name in refused.headers["Allow"].split(",")} - {""}
    assert "OPTIONS" not in allowed
    assert all(api.http.generic(method, ROOT + path).status_code != 405 for method in allowed)


def test_every_refusal_says_which_request_it_was(api: Api) -> None:
    body = api.get("nothing/").json()
    assert body.keys() >= {"type", "title", "status", "detail", "request_id", "error"}


def test_nothing_is_kept_by_caches(api: Api) -> None:
    for path in LISTS:
        assert api.get(f"{path}/").headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_the_document_is_valid_and_complete() -> None:
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library's
    validate_schema(schema)  # type: ignore[no-untyped-call]  # the library's
    assert not GENERATOR_STATS, "the generator warned"
    assert {path.removeprefix(ROOT) for path in schema["paths"]} >= {f"{name}/" for name in LISTS}


def test_the_document_is_served_to_staff_as_json(api: Api) -> None:
    assert api.get("schema/").json()["openapi"].startswith("3.")
    errors_of(Api(Client()).get("schema/"), 401)


TEXT = st.text(max_size=30) | st.sampled_from(
    ["", "\0", "jobs", "..", "a" * 5000, "http://[::1", "\ud800", "-1", "1e999"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["name", "kind", "prefix", "upstream_url", "auth_mode", "timeout_ms", "identity_headers", "credential", "enabled",
     "backend", "operation_id", "method", "path", "scopes", "title", "translations", "sensitivity", "identifier",
     "token_format", "preset", "client_type", "grant_types", "redirect_uris", "default_resource", "trust", "username",
     "email", "password", "external_id", "is_active", "expires_at", "max_request_bytes", "access_token_lifetime_s",
     "token_endpoint_auth_method", "issuer", "audience", "jwks_url", "algorithms", "claims"]
)  # fmt: skip
PLAUSIBLE: dict[str, dict[str, Any]] = {
    "backends": {"name": "new", "upstream_url": "https://jobs.example"},
    "operations": {"backend": "jobs", "method": "GET", "path": "/x", "scopes": []},
    "scopes": {"name": "new", "title": "New"},
    "resources": {"identifier": "http://127.0.0.1:8000/x"},
    "clients": {"name": "New", "preset": "service"},
    "users": {"username": "new"},
    "api-keys": {"name": "new"},
    "issuers": {
        "name": "new",
        "issuer": "https://new.example",
        "audience": "a",
        "jwks_url": "https://new.example/keys",
    },
}


@settings(max_examples=300)
@given(
    resource=st.sampled_from(sorted(PLAUSIBLE)), changes=st.dictionaries(FIELDS, JSON, max_size=3), key=TEXT | st.none()
)
def test_no_input_breaks_anything(api: Api, resource: str, changes: dict[str, Any], key: str | None) -> None:
    body = json.dumps(PLAUSIBLE[resource] | changes).encode()
    if not Scope.objects.filter(name="jobs").exists():
        api.made("backends/", name="jobs", upstream_url="https://jobs.example")
        api.made("scopes/", name="jobs", title="Jobs")
    sent: dict[str, Any] = {"content_type": "application/json", "headers": REASON}
    assert api.http.post(f"{ROOT}{resource}/", body, **sent).status_code in {201, 400, 409}
    own = {"backends": "jobs", "scopes": "jobs", "users": "1"}.get(resource, "1")
    assert api.http.patch(f"{ROOT}{resource}/{own}/", body, **sent).status_code in {200, 400, 403, 404, 409}
    if key:
        answer = api.http.get(f"{ROOT}{resource}/", {"cursor": key.encode("utf-8", "replace").decode()})
        assert answer.status_code in {200, 400}
