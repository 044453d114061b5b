"""`<prefix>/openapi.json` and `.yaml`, through the whole data plane."""

import asyncio
import json
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connections
from openapi_spec_validator import OpenAPIV31SpecValidator

from oauth_provider.clients.models import Client
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_operation
from proxy.entrypoints.openapi import OpenApiDocuments
from tests.proxy.plane import Road
from tests.proxy.world import JOBS, KEYED, OPEN, THEIRS, bearer

ISSUER = settings.PUBLIC_BASE_URL


async def in_thread(work: Any, *arguments: Any) -> Any:
    """Touch the database outside the event loop."""

    def run() -> Any:
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def test_both_forms_say_the_same_and_are_valid(road: Road) -> None:
    as_json = await road.call("GET", f"{JOBS}/openapi.json")
    as_yaml = await road.call("GET", f"{JOBS}/openapi.yaml")
    assert (as_json.status, as_json.header("content-type")) == (200, "application/json")
    assert (as_yaml.status, as_yaml.header("content-type")) == (200, "application/yaml")
    assert as_json.json() == yaml.safe_load(as_yaml.body)
    assert b"&id" not in as_yaml.body
    OpenAPIV31SpecValidator(as_json.json()).validate()
    assert as_json.json()["servers"] == [{"url": f"{ISSUER}{JOBS}"}]
    assert set(as_json.json()["paths"]) == {"/jobs/{id}", "/jobs", "/free"}


async def test_any_page_may_read_it_and_keep_it_for_a_minute(road: Road) -> None:
    heard = await road.call("GET", f"{JOBS}/openapi.json", ("origin", "https://anywhere.example"))
    assert heard.header("access-control-allow-origin") == "*"
    assert heard.header("cache-control") == "public, max-age=60"
    head = await road.call("HEAD", f"{JOBS}/openapi.json")
    assert (head.status, head.body) == (200, b"")
    assert (await road.call("OPTIONS", f"{JOBS}/openapi.json")).status == 204
    post = await road.call("POST", f"{JOBS}/openapi.json", bearer(road.stored.write))
    assert (post.status, post.header("allow")) == (405, "GET, HEAD, OPTIONS")


async def test_no_credential_is_asked_for_or_looked_at(road: Road) -> None:
    plain = await road.call("GET", f"{JOBS}/openapi.json")
    wrong = await road.call("GET", f"{JOBS}/openapi.json", bearer("gh_at_wrong"), ("cookie", "session=x"))
    assert plain.body == wrong.body


async def test_a_client_gets_what_it_may_ask_for(road: Road) -> None:
    made = await in_thread(lambda: Client.objects.create(name="Reader", client_id="reader", allowed_scopes="jobs:read"))
    try:
        heard = await road.call("GET", f"{JOBS}/openapi.json?client_id=reader")
        assert set(heard.json()["paths"]) == {"/jobs/{id}", "/free"}
        full = await road.call("GET", f"{JOBS}/openapi.json?client_id={road.stored.client_id}")
        assert "/jobs" in full.json()["paths"]
    finally:
        await in_thread(made.delete)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("client_id=nobody", 404),
        ("client_id=", 404),
        ("client_id=%00", 404),
        ("client_id=a&client_id=a", 400),
        ("client_id=" + "a" * 300, 404),
        ("client_id=%ff%fe", 404),
        ("x=" + "a" * 3000, 400),
    ],
)
async def test_a_query_that_names_no_client_is_refused(road: Road, query: str, status: int) -> None:
    heard = await road.call("GET", f"{JOBS}/openapi.json?{query}")
    assert (heard.status, heard.header("content-type")) == (status, "application/problem+json")


@pytest.mark.parametrize("prefix", [OPEN, THEIRS, KEYED])
async def test_where_nothing_takes_our_tokens_the_path_is_the_backends(road: Road, prefix: str) -> None:
    heard = await road.call("GET", f"{prefix}/openapi.json")
    assert b'"openapi"' not in heard.body
    assert len(road.upstream.arrived) == (0 if prefix == KEYED else 1)


async def test_a_wider_operation_never_gets_it(road: Road) -> None:
    heard = await road.call("GET", "/api/v1/narrow/openapi.json", bearer(road.stored.narrow))
    assert heard.json()["paths"].keys() == {"/{path}"}
    assert not road.upstream.arrived


async def test_an_encoded_path_is_refused(road: Road) -> None:
    heard = await road.call("GET", f"{JOBS}/openapi%2Ejson")
    assert heard.status == 400


async def test_a_change_is_in_the_next_answer_and_a_fault_is_explained(road: Road) -> None:
    backend = await in_thread(lambda: Backend.objects.get(prefix=JOBS))
    added = Operation(backend=backend, operation_id="wordy", methods=["GET"], path="/wordy", scopes=["jobs:read"])
    await in_thread(lambda: save_operation(operation=added, actor=None))
    try:
        assert "/wordy" in (await road.call("GET", f"{JOBS}/openapi.json")).json()["paths"]
        added.description = "d" * 301
        await in_thread(lambda: save_operation(operation=added, actor=None))
        heard = await road.call("GET", f"{JOBS}/openapi.json", ("origin", "https://anywhere.example"))
        assert (heard.status, heard.json()["error"]) == (409, "no_document")
        assert heard.header("access-control-allow-origin") == "*"
        ((operation, detail),) = [(each["operation"], each["detail"]) for each in heard.json()["faults"]]
        assert operation == "wordy"
        assert "301" in detail
        assert "300" in detail
    finally:
        await in_thread(added.delete)


async def test_a_fault_of_ours_is_a_problem_document_that_says_nothing(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(OpenApiDocuments, "document", broken)
    heard = await road.call("GET", f"{JOBS}/openapi.json")
    assert (heard.status, heard.header("content-type")) == (500, "application/problem+json")
    assert b"secret detail" not in heard.body


async def test_it_is_made_once_for_all_who_ask(road: Road) -> None:
    heard = await asyncio.gather(*(road.call("GET", f"{JOBS}/openapi.json") for _ in range(20)))
    assert len({json.dumps(each.json()) for each in heard}) == 1
