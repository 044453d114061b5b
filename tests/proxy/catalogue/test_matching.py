"""One operation for a method and a path, whatever else there is."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from proxy.catalogue.matching import NOTHING, Found, Matcher, Nothing, OtherMethods
from proxy.catalogue.paths import compile_template

Routes = dict[str, str]


def matcher(*operations: str) -> Matcher[str]:
    """A matcher whose operations are their own names: `GET /jobs`."""
    entries = [(operation.split(" ")[0], operation.split(" ")[1]) for operation in operations]
    return Matcher((method, compile_template(path), f"{method} {path}") for method, path in entries)


def found(routes: Matcher[str], method: str, path: str) -> str | None:
    """The operation that answers, by name."""
    result = routes.match(method, tuple(path[1:].split("/")) if path else ())
    return result.operation if isinstance(result, Found) else None


JOBS = matcher("GET /", "GET /jobs", "GET /jobs/{id}", "GET /jobs/new", "GET /jobs/**", "GET /{a}/apply", "POST /jobs/")


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("", "GET /"),
        ("/jobs", "GET /jobs"),
        ("/jobs/new", "GET /jobs/new"),
        ("/jobs/7", "GET /jobs/{id}"),
        ("/jobs/newer", "GET /jobs/{id}"),
        ("/jobs/7/apply", "GET /jobs/**"),
        ("/people/apply", "GET /{a}/apply"),
        ("/jobs/", "GET /jobs/**"),
        ("/Jobs", None),
        ("/job", None),
        ("/jobsx", None),
        ("/people", None),
        ("/people/apply/", None),
        ("/people/apply\n", None),
    ],
)
def test_literal_beats_parameter_beats_tail(path: str, operation: str | None) -> None:
    assert found(JOBS, "GET", path) == operation


def test_a_literal_that_leads_nowhere_gives_way_to_a_parameter() -> None:
    routes = matcher("GET /jobs/new", "GET /{kind}/old")
    assert found(routes, "GET", "/jobs/old") == "GET /{kind}/old"


def test_a_parameter_never_stands_for_nothing() -> None:
    assert found(matcher("GET /jobs/{id}"), "GET", "/jobs/") is None


def test_a_trailing_slash_is_a_path_of_its_own() -> None:
    assert found(JOBS, "POST", "/jobs/") == "POST /jobs/"
    assert found(JOBS, "POST", "/jobs") is None


def test_a_tail_takes_everything_below_and_its_own_start() -> None:
    routes = matcher("GET /files/**")
    assert found(routes, "GET", "/files") == found(routes, "GET", "/files/a/b/c/") == "GET /files/**"
    assert found(routes, "GET", "/filesystem") is None


def test_the_first_of_two_equal_paths_stays() -> None:
    routes = Matcher([("GET", compile_template("/{a}"), "first"), ("GET", compile_template("/{b}"), "second")])
    assert routes.match("GET", ("x",)) == Found("first")


def test_head_is_answered_by_get_only() -> None:
    assert found(JOBS, "HEAD", "/jobs/new") == "GET /jobs/new"
    assert found(JOBS, "HEAD", "/elsewhere") is None


@pytest.mark.parametrize(
    ("operations", "allow"),
    [
        (["GET /jobs"], "GET, HEAD, OPTIONS"),
        (["POST /jobs"], "OPTIONS, POST"),
        (["DELETE /jobs", "GET /jobs", "PUT /jobs"], "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_another_method_names_those_there_are(operations: list[str], allow: str) -> None:
    assert matcher(*operations, "PATCH /else").match("PATCH", ("jobs",)) == OtherMethods(allow=allow)


def test_no_operation_is_nothing() -> None:
    assert matcher().match("GET", ("jobs",)) is NOTHING
    assert isinstance(matcher("GET /jobs").match("GET", ("people",)), Nothing)


def calls_made(work: Callable[[], object]) -> int:
    """How many Python functions `work` calls."""
    count = 0

    def watch(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_work_does_not_grow_with_the_number_of_operations(method: str) -> None:
    few, many = (
        matcher(*(f"{verb} /area{n}/items/{{id}}" for n in range(size) for verb in ("GET", "POST")))
        for size in (5, 2500)
    )
    wanted = ("area3", "items", "7")
    assert calls_made(lambda: few.match(method, wanted)) == calls_made(lambda: many.match(method, wanted))
