"""What a document would make of a backend; nothing of it is dropped without a word."""

from typing import Any

import pytest

from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend
from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.openapi_import.propose import Proposal, Proposer
from tests.proxy.catalogue.openapi_import.documents import DOCUMENT, JsonObject, document, with_operation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def scopes(db: None) -> None:
    """Two permissions."""
    del db
    for name in ("jobs:read", "jobs:write"):
        Scope.objects.create(name=name, title=name)


def read(content: JsonObject, *, upstream: str = "https://jobs.example/api", **options: Any) -> Proposer:
    """A reader of `content` for a backend."""
    backend = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url=upstream)
    return Proposer(content, backend=backend, **options)


def proposed(content: JsonObject, **options: Any) -> dict[str, Proposal]:
    """The proposals by method and path."""
    return {each.label: each for found in read(content, **options).proposals() for each in found}


def only(content: JsonObject, **options: Any) -> Proposal:
    """The one proposal."""
    (found,) = proposed(content, **options).values()
    return found


def values(proposal: Proposal) -> JsonObject:
    """What would be stored."""
    assert proposal.values is not None, proposal.notes
    return proposal.values


def test_operations_are_proposed_with_what_they_take_and_need() -> None:
    found = proposed(DOCUMENT)
    assert list(found) == ["GET /jobs", "POST /jobs", "GET /jobs/{job-id}", "DELETE /jobs/{job-id}"]
    assert values(found["GET /jobs"]) == {
        "methods": ["GET"],
        "path": "/jobs",
        "title": "List jobs",
        "description": "All of them.",
        "parameters": [{"name": "place", "in": "query", "schema": {"type": ["string", "null"]}}],
        "request_schema": None,
        "request_type": "",
        "response_schema": {
            "type": "array", "items": {"$ref": "#/$defs/Job"},
            "$defs": {"Job": {"type": "object", "properties": {"title": {"type": "string"}}}},
        },
        "annotations": {"read_only": True},
        "scopes": ["jobs:read"],
        "enabled": True,
        "consequential": False,
    }  # fmt: skip
    assert found["GET /jobs"].operation_id == "listJobs"


def test_what_changes_something_asks_first_unless_the_document_says_otherwise() -> None:
    post = values(proposed(DOCUMENT)["POST /jobs"])
    assert (post["consequential"], post["scopes"]) == (True, ["jobs:read", "jobs:write"])
    assert post["request_schema"] == {"type": "object", "properties": {"title": {"type": "string"}}}
    quiet = with_operation({"x-openai-isConsequential": False}, method="post")
    assert values(only(quiet))["consequential"] is False


def test_parameters_of_the_path_get_names_that_templates_take() -> None:
    got = values(proposed(DOCUMENT)["GET /jobs/{job-id}"])
    assert got["path"] == "/jobs/{job_id}"
    assert got["parameters"] == [{"name": "job_id", "in": "path", "required": True, "schema": {"type": "integer"}}]


@pytest.mark.parametrize(
    ("security", "words"),
    [
        ([], "does not say"),
        ([{}], "does not say"),
        ([{"key": []}], "does not say"),
        ([{"oauth": []}], "does not say"),
        ([{"oauth": ["jobs:delete"]}], "jobs:delete"),
        ([{"oauth": ["jobs:read", "jobs:delete"]}], "jobs:delete"),
        ([{"unknown": ["jobs:read"]}], "does not say"),
    ],
)
def test_without_permissions_that_exist_an_operation_is_disabled_and_says_so(security: Any, words: str) -> None:
    found = only(with_operation({"security": security}))
    assert (values(found)["enabled"], values(found)["scopes"]) == (False, [])
    assert any("Disabled" in note and words in note for note in found.notes)
    given = only(with_operation({"security": security}), otherwise=["jobs:write"])
    assert (values(given)["enabled"], values(given)["scopes"], given.notes) == (True, ["jobs:write"], ())


@pytest.mark.parametrize(
    "security", [[{"oauth": ["jobs:delete"]}, {"oauth": ["jobs:read"]}], [{"oauth": ["jobs:read"], "key": []}]]
)
def test_the_first_alternative_that_exists_here_is_taken(security: Any) -> None:
    assert values(only(with_operation({"security": security}), otherwise=["jobs:write"]))["scopes"] == ["jobs:read"]


def test_a_scope_for_the_rest_must_exist() -> None:
    with pytest.raises(BadDocument, match="nope"):
        read(DOCUMENT, otherwise=["nope"])


@pytest.mark.parametrize(
    ("servers", "upstream", "path"),
    [
        ("https://jobs.example/api", "https://jobs.example/api", "/jobs"),
        ("https://jobs.example/api/", "https://jobs.example/api", "/jobs"),
        ("https://jobs.example/api", "https://jobs.example", "/api/jobs"),
        ("https://jobs.example/api/v2", "https://jobs.example/api", "/v2/jobs"),
        ("/api", "http://inside:8080/api", "/jobs"),
        ("https://public.example/other", "https://jobs.example/api", "/jobs"),
        ("https://{host}/{base}", "https://jobs.example/api", "/jobs"),
        ("http://[broken", "https://jobs.example/api", "/jobs"),
        ("", "https://jobs.example/api", "/jobs"),
    ],
)
def test_paths_are_below_the_backends_own_address(servers: str, upstream: str, path: str) -> None:
    server = {"url": servers, "variables": {"host": {"default": "jobs.example"}, "base": {"default": "api"}}}
    made = with_operation({}, path="/jobs", servers=[server] if servers else [])
    assert values(only(made, upstream=upstream))["path"] == path


def test_a_path_that_has_the_base_of_the_backend_loses_it() -> None:
    made = with_operation({}, path="/api/jobs", servers=[])
    assert values(only(made))["path"] == "/jobs"


def test_an_odd_server_is_said() -> None:
    reader = read(document(servers=[{"url": "https://public.example/other"}]))
    assert list(reader.proposals())
    assert "/other" in reader.notes()[0]


@pytest.mark.parametrize("path", ["/a{b}", "/{a}.json", "/a//b", "jobs", "/a;b", "/../x", "/**/x", "/openapi.json"])
def test_a_path_that_cannot_be_is_left_out_and_said(path: str) -> None:
    found = only(with_operation({"operationId": "odd"}, path=path))
    assert (found.values, found.operation_id) == (None, "odd")
    assert found.notes[0].startswith("Left out")


@pytest.mark.parametrize("method", ["options", "trace"])
def test_methods_that_are_not_carried_are_said(method: str) -> None:
    assert only(with_operation({}, method=method)).values is None


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ({"name": "session", "in": "cookie"}, "session"),
        ({"name": "filter", "in": "query", "content": {"application/json": {}}}, "filter"),
        ({"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}}, "filter"),
        ({"name": "filter", "in": "query", "schema": {"type": "object"}}, "filter"),
        ({"name": "ids", "in": "query", "explode": False, "schema": {"type": "array"}}, "ids"),
        ({"name": "x", "in": "body"}, "body"),
        ({"name": "", "in": "query"}, "left out"),
    ],
)
@pytest.mark.parametrize("required", [False, True])
def test_parameters_that_no_client_can_give_are_said(parameter: JsonObject, words: str, required: bool) -> None:
    found = only(with_operation({"parameters": [parameter | {"required": required}]}))
    assert values(found)["parameters"] == []
    assert any(words in note for note in found.notes)
    if required:
        assert values(found)["enabled"] is False
        assert any("Disabled" in note for note in found.notes)


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Authorization"])
def test_headers_that_are_no_parameters_are_none(name: str) -> None:
    found = only(with_operation({"parameters": [{"name": name, "in": "header", "required": True}]}))
    assert (values(found)["parameters"], found.notes) == ([], ())


def test_a_header_the_gateway_writes_is_said() -> None:
    found = only(with_operation({"parameters": [{"name": "X-User-Id", "in": "header", "required": True}]}))
    assert (values(found)["parameters"], values(found)["enabled"]) == ([], True)
    assert "X-User-Id" in found.notes[0]


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("required", [{"required": True}, {}])
def test_a_body_that_is_no_json_is_said_and_disables(kind: str, required: dict[str, bool]) -> None:
    body = {**required, "content": {kind: {"schema": {"type": "object"}}}}
    found = only(with_operation({"requestBody": body}, method="post"))
    assert (values(found)["request_schema"], values(found)["enabled"]) == (None, False)
    assert any(kind in note for note in found.notes)
    both = {"content": {kind: {}, "application/merge-patch+json": {"schema": {"type": "object"}}}}
    found = only(with_operation({"requestBody": both}, method="post"))
    assert (values(found)["request_schema"], values(found)["enabled"]) == ({"type": "object"}, True)
    assert any(kind in note for note in found.notes)


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        (["application/json"], ""),
        (["Application/JSON; charset=utf-8"], ""),
        (["*/*"], ""),
        (["application/merge-patch+json", "application/json"], ""),
        (["application/Merge-Patch+JSON"], "application/merge-patch+json"),
        (["text/plain", "application/json-patch+json", "application/merge-patch+json"], "application/json-patch+json"),
        (['application/vnd.a+json; profile="b c"'], 'application/vnd.a+json; profile="b c"'),
        (["application/vnd.a+json; what\r\nX-User-Id: 7"], "application/vnd.a+json"),
        ([f"application/{'a' * 100}+json"], ""),
    ],
)
def test_a_body_has_the_media_type_that_the_document_names(declared: list[str], kept: str) -> None:
    content = {name: {"schema": {"type": "object"}} for name in declared}
    found = values(only(with_operation({"requestBody": {"content": content}}, method="patch")))
    assert (found["request_type"], found["request_schema"]) == (kept, {"type": "object"})


def test_callbacks_and_webhooks_are_said() -> None:
    reader = read(with_operation({"callbacks": {"done": {}}}, webhooks={"new": {}}))
    ((found,),) = list(reader.proposals())
    assert any("callbacks" in note for note in found.notes)
    assert any("Webhooks" in note for note in reader.notes())


def test_a_schema_that_cannot_stand_alone_is_left_out_and_said() -> None:
    broken = {"parameters": [{"name": "a", "in": "query", "schema": {"type": "strange"}}]}
    found = only(with_operation(broken))
    assert values(found)["parameters"] == [{"name": "a", "in": "query"}]
    assert "a" in found.notes[0]


def test_references_of_every_kind_are_followed() -> None:
    made = with_operation(
        {
            "parameters": [{"$ref": "#/components/parameters/Page"}],
            "requestBody": {"$ref": "#/components/requestBodies/Job"},
            "responses": {"200": {"$ref": "#/components/responses/Job"}},
        },
        method="post",
        components={
            "parameters": {"Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}},
            "requestBodies": {"Job": {"content": {"application/json": {"schema": {"type": "object"}}}}},
            "responses": {"Job": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        },
    )
    got = values(only(made))
    assert got["parameters"] == [{"name": "page", "in": "query", "schema": {"type": "integer"}}]
    assert got["request_schema"] == got["response_schema"] == {"type": "object"}


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": [{"$ref": "https://elsewhere.example/p.json"}]},
        {"parameters": [{"$ref": "#/components/parameters/None"}]},
        {"parameters": {"name": "a"}},
        {"parameters": ["a"]},
        {"requestBody": 5},
        {"responses": []},
        {"security": {}},
        {"security": ["oauth"]},
        {"servers": "x"},
        {"requestBody": {"content": []}},
    ],
)
def test_what_openapi_does_not_say_is_refused_with_its_path(operation: JsonObject) -> None:
    with pytest.raises(BadDocument, match=r"^/other: "):
        proposed(with_operation(operation, method="post"))


def test_references_in_circles_end() -> None:
    circle = {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}
    made = with_operation({"parameters": [{"$ref": "#/components/parameters/A"}]}, components={"parameters": circle})
    with pytest.raises(BadDocument):
        proposed(made)
