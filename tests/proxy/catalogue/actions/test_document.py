"""The OpenAPI document of a backend: valid, within ChatGPT's limits, or words that say what to change."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from proxy.catalogue.actions.api import Action, Api
from proxy.catalogue.actions.document import actions_document
from proxy.catalogue.actions.limits import NotWithinLimits

TITLES = {"jobs:read": "Search jobs", "jobs:write": "Apply for jobs"}


def action(**changes: Any) -> Action:
    """An operation."""
    values: dict[str, Any] = {
        "operation_id": "getJob",
        "title": "Read a job",
        "description": "Everything known about one position.",
        "methods": ("GET",),
        "path": "/jobs/{id}",
        "scopes": ("jobs:read",),
        "any_scopes": (),
        "parameters": (),
        "request_schema": None,
        "request_type": "",
        "response_schema": None,
        "consequential": False,
    }
    return Action(**(values | changes))


def document(*actions: Action, scopes: frozenset[str] | None = None, prefix: str = "/api/v1/jobs") -> dict[str, Any]:
    """The document of a backend with `actions`, which is a valid one."""
    api = Api(title="jobs", prefix=prefix, actions=actions, scope_titles=TITLES)
    made = actions_document(api, scopes=scopes)
    OpenAPIV31SpecValidator(made).validate()
    return made


def refused(*actions: Action) -> list[tuple[str, str]]:
    """Why there is no document."""
    with pytest.raises(NotWithinLimits) as refusal:
        document(*actions)
    return [(fault.operation, fault.words) for fault in refusal.value.faults]


def test_a_choice_of_scopes_is_a_choice_there_too() -> None:
    offered = action(scopes=(), any_scopes=("jobs:read", "jobs:write"))
    made = document(offered)
    assert made["paths"]["/jobs/{id}"]["get"]["security"] == [{"oauth": ["jobs:read"]}, {"oauth": ["jobs:write"]}]
    assert made["components"]["securitySchemes"]["oauth"]["flows"]["authorizationCode"]["scopes"] == TITLES
    assert document(offered, scopes=frozenset({"jobs:write"}))["paths"] == made["paths"]


def test_it_says_where_to_call_and_how_to_sign_in(settings: Any) -> None:
    made = document(action())
    assert made["openapi"] == "3.1.0"
    assert made["servers"] == [{"url": f"{settings.PUBLIC_BASE_URL}/api/v1/jobs"}]
    assert made["components"]["securitySchemes"]["oauth"] == {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{settings.PUBLIC_BASE_URL}/oauth/authorize",
                "tokenUrl": f"{settings.PUBLIC_BASE_URL}/oauth/token",
                "scopes": {"jobs:read": "Search jobs"},
            }
        },
    }


def test_under_an_alias_the_addresses_are_those_of_the_alias(settings: Any) -> None:
    settings.OAUTH_ALIAS_PREFIXES = ["/api/v1/gpt/oauth"]
    flows = [
        document(action(), prefix=prefix)["components"]["securitySchemes"]["oauth"]["flows"]["authorizationCode"]
        for prefix in ("/api/v1/gpt", "/api/v1/jobs")
    ]
    assert [flow["tokenUrl"].removeprefix(settings.PUBLIC_BASE_URL) for flow in flows] == [
        "/api/v1/gpt/oauth/token",
        "/oauth/token",
    ]


def test_an_operation_is_described_with_what_it_needs() -> None:
    made = document(action(consequential=True))["paths"]["/jobs/{id}"]["get"]
    assert made["operationId"] == "getJob"
    assert (made["summary"], made["description"]) == ("Read a job", "Everything known about one position.")
    assert made["security"] == [{"oauth": ["jobs:read"]}]
    assert made["x-openai-isConsequential"] is True
    assert made["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert "requestBody" not in made


def test_parameters_keep_their_words_and_schemas() -> None:
    given = [
        {"name": "id", "in": "path", "description": "From a search", "schema": {"type": "integer"}},
        {"name": "full", "in": "query", "required": True, "schema": {"type": "boolean"}},
        {"name": "X-Trace", "in": "header"},
    ]
    made = document(action(parameters=given))["paths"]["/jobs/{id}"]["get"]["parameters"]
    assert made == [
        {"name": "id", "in": "path", "required": True, "description": "From a search", "schema": {"type": "integer"}},
        {"name": "full", "in": "query", "required": True, "schema": {"type": "boolean"}},
    ]


def test_bodies_and_answers_have_their_schemas() -> None:
    schema = {"type": "object", "properties": {"job": {"type": "string"}}, "required": ["job"]}
    made = document(action(methods=("POST",), path="/jobs", request_schema=schema, response_schema=schema))
    operation = made["paths"]["/jobs"]["post"]
    assert operation["requestBody"] == {"required": True, "content": {"application/json": {"schema": schema}}}
    for status in ("200", "201"):
        assert operation["responses"][status]["content"]["application/json"]["schema"] == schema
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    patch = {"methods": ("PATCH",), "path": "/jobs", "request_type": "application/merge-patch+json"}
    for given in (schema, None):
        made = document(action(**patch, request_schema=given))
        assert list(made["paths"]["/jobs"]["patch"]["requestBody"]["content"]) == ["application/merge-patch+json"]


def test_references_lead_into_the_components() -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"children": {"items": {"$ref": "#/$defs/node"}}}}},
    }
    made = document(
        action(methods=("POST",), path="/trees", request_schema=tree, response_schema={"items": {"$ref": "#"}})
    )
    root = "#/components/schemas/getJob_body"
    assert made["paths"]["/trees"]["post"]["requestBody"]["content"]["application/json"]["schema"] == {"$ref": root}
    stored = made["components"]["schemas"]["getJob_body"]
    assert stored["$ref"] == f"{root}/$defs/node"
    assert stored["$defs"]["node"]["properties"]["children"]["items"]["$ref"] == f"{root}/$defs/node"
    assert made["components"]["schemas"]["getJob_answer"]["items"] == {"$ref": "#/components/schemas/getJob_answer"}


@pytest.mark.parametrize("schema", [{"$id": "urn:x", "type": "object"}, {"properties": {"a": {"$anchor": "here"}}}])
def test_schemas_with_an_address_are_refused(schema: dict[str, Any]) -> None:
    ((operation, words),) = refused(action(methods=("POST",), request_schema=schema))
    assert operation == "getJob"
    assert "$id" in words or "$anchor" in words


def test_several_methods_are_several_operations() -> None:
    made = document(action(methods=("GET", "DELETE")))["paths"]["/jobs/{id}"]
    assert {method: each["operationId"] for method, each in made.items()} == {
        "get": "getJob_get",
        "delete": "getJob_delete",
    }


def test_a_tail_is_one_parameter() -> None:
    made = document(action(path="/files/{path}/**"))
    assert list(made["paths"]) == ["/files/{path}/{path_}"]


def test_paths_that_differ_in_names_only_are_one() -> None:
    one = action()
    other = action(operation_id="dropJob", methods=("DELETE",), path="/jobs/{number}",
                   parameters=[{"name": "number", "in": "path", "schema": {"type": "integer"}}])  # fmt: skip
    made = document(one, other)["paths"]
    assert list(made) == ["/jobs/{id}"]
    (parameter,) = made["/jobs/{id}"]["delete"]["parameters"]
    assert (parameter["name"], parameter["schema"]) == ("id", {"type": "integer"})


def test_a_client_sees_only_what_it_may_ask_for() -> None:
    both = action(operation_id="apply", methods=("POST",), path="/jobs", scopes=("jobs:read", "jobs:write"))
    made = document(action(), both, scopes=frozenset({"jobs:read", "other"}))
    assert list(made["paths"]) == ["/jobs/{id}"]


def test_an_operation_of_a_disabled_scope_is_left_out() -> None:
    made = document(action(), action(operation_id="old", path="/old", scopes=("jobs:old",)))
    assert list(made["paths"]) == ["/jobs/{id}"]


def test_thirty_operations_are_the_most() -> None:
    many = [action(operation_id=f"op{number}", path=f"/{number}") for number in range(31)]
    assert len(document(*many[:30])["paths"]) == 30
    ((operation, words),) = refused(*many)
    assert operation == ""
    assert "31" in words
    assert "30" in words


def test_none_is_no_document() -> None:
    assert refused()[0][0] == ""


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"description": "d" * 301}, "301"),
        ({"parameters": [{"name": "q", "in": "query", "description": "d" * 701}]}, "q"),
        ({"methods": ("POST",), "request_schema": {"properties": {"body": {"description": "d" * 701}}}}, "body"),
        ({"parameters": [{"name": "X-Key", "in": "header", "required": True}]}, "X-Key"),
        ({"operation_id": "o" * 61, "methods": ("GET", "POST")}, "64"),
        ({"path": "/"}, "/"),
    ],
)
def test_what_chatgpt_would_not_take_is_said_with_the_operation(changes: dict[str, Any], named: str) -> None:
    faults = refused(action(**changes))
    assert {operation for operation, _words in faults} == {changes.get("operation_id", "getJob")}
    assert all(named in words for _operation, words in faults)


def test_what_just_fits_is_taken() -> None:
    fits = [{"name": "q", "in": "query", "description": "d" * 700}]
    assert document(action(description="d" * 300, parameters=fits))


def test_two_of_one_name_are_refused() -> None:
    faults = refused(action(methods=("GET", "PUT")), action(operation_id="getJob_get", path="/other"))
    assert [operation for operation, _words in faults] == ["getJob_get"]
