"""Names at /mcp: made of the backend and its own name, of what every model takes, and never of two."""

import pytest
from django.core.exceptions import ValidationError

from proxy.catalogue.mcp_backends.approve import approve_opened
from proxy.catalogue.models import TOOL_NAME, Backend, Operation
from proxy.catalogue.save import save_operation
from tests.proxy.catalogue.mcp_backends.catalogue import definition, listed, mcp_backend, opening, says, tool

pytestmark = pytest.mark.django_db


def offered(backend: Backend, *names: str) -> list[str]:
    """Their names at /mcp."""
    says(backend, *map(tool, names))
    return [definition(name, backend=backend).exposed_name for name in names]


def rest_operation(operation_id: str, **fields: str) -> Operation:
    """An operation of another backend."""
    backend, _made = Backend.objects.get_or_create(
        name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example"
    )
    operation = Operation(
        backend=backend, operation_id=operation_id, methods=["GET"], path=f"/{operation_id}", **fields
    )
    save_operation(operation=operation, actor=None)
    return operation


def test_a_name_that_models_do_not_take_is_made_one_that_they_do() -> None:
    names = offered(mcp_backend(), "a.b", "a_b", "a" * 128, "a" * 127)
    assert names[1] == "weather_a_b"
    assert names[0].startswith("weather_a_b_")
    assert len(set(names)) == 4
    assert all(map(TOOL_NAME.match, names))


def test_two_backends_whose_names_come_to_the_same() -> None:
    [first] = offered(mcp_backend("a"), "b_c")
    [second] = offered(mcp_backend("a_b"), "c")
    assert first == "a_b_c"
    assert second.startswith("a_b_c_")


def test_an_operation_that_was_there_keeps_its_name() -> None:
    assert rest_operation("weather_forecast").tool_name == "weather_forecast"
    [name] = offered(mcp_backend(), "forecast")
    assert name.startswith("weather_forecast_")


def test_an_operation_that_comes_later_takes_another_name() -> None:
    backend = mcp_backend()
    offered(backend, "forecast")
    assert rest_operation("weather_forecast").tool_name == "jobs_weather_forecast"
    with pytest.raises(ValidationError, match="A tool of an MCP backend has this name"):
        rest_operation("other", tool_name="weather_forecast")
    approve_opened(operations=[opening(backend)], actor=None)
    assert listed("/mcp") == ["weather_forecast"]


def test_a_name_stays_whatever_else_comes_and_goes() -> None:
    backend = mcp_backend()
    before = offered(backend, "a.b", "a_b")
    assert offered(backend, "a_b", "a.b", "a-b")[:2] == list(reversed(before))
