"""Names of tools: given once, one of each, whatever the backends call their operations."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.catalogue.tool_names import MAX, candidates

pytestmark = pytest.mark.django_db


def backend(name: str) -> Backend:
    made = Backend(name=name, prefix=f"/api/v1/{name}", upstream_url="http://127.0.0.1:9", allow_private=True)
    save_backend(backend=made, actor=None)
    return made


def operation(owner: Backend, operation_id: str, **fields: Any) -> Operation:
    path = fields.pop("path", f"/{operation_id}")
    made = Operation(backend=owner, operation_id=operation_id, methods=["GET"], path=path, **fields)
    save_operation(operation=made, actor=None)
    return made


def test_the_second_of_a_name_has_its_backend_before_it() -> None:
    names = [operation(backend(name), "search").tool_name for name in ("jobs", "people", "rooms")]
    assert names == ["search", "people_search", "rooms_search"]


def test_a_name_that_somebody_took_already_leaves_one_that_nobody_has() -> None:
    operation(backend("jobs"), "search")
    operation(backend("others"), "people_search")
    found = operation(backend("people"), "search").tool_name
    assert found is not None
    assert found.startswith("people_search_")


def test_long_names_stay_apart_and_short_enough() -> None:
    long = "a" * 60
    names = {operation(backend(name), long).tool_name for name in ("jobs", "people", "people-2")}
    assert len(names) == 3
    assert all(name is not None and len(name) <= MAX for name in names)


def test_a_name_stays_when_the_operation_has_another_one() -> None:
    made = operation(backend("jobs"), "search")
    made.operation_id, made.path = "find", "/find"
    save_operation(operation=made, actor=None, fields=("operation_id",))
    made.refresh_from_db()
    assert made.tool_name == "search"
    assert operation(made.backend, "search", path="/again").tool_name == "jobs_search"


def test_nobody_gives_a_name_twice() -> None:
    operation(backend("jobs"), "search")
    other = operation(backend("people"), "find")
    other.tool_name = "search"
    with pytest.raises(ValidationError, match="Tool name"):
        save_operation(operation=other, actor=None)


def test_every_candidate_is_a_name() -> None:
    made = Operation(backend=Backend(name="b" * 60), operation_id="o" * 60)
    assert all(len(name) <= MAX for name in candidates(made))
