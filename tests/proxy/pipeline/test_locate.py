"""Before anything else: one reading of the path, and no request that was here before."""

import pytest

from proxy.catalogue.matching import Found
from proxy.pipeline.locate import locate, via_pseudonym
from proxy.refusals import BadRequest, LoopDetected, UnreadablePath
from tests.proxy.plans import PREFIX, backend_plan, received, snapshot


def test_a_request_is_located_with_the_picture_of_its_moment() -> None:
    catalogue = snapshot(backend_plan())
    where = locate(received("GET", f"{PREFIX}/a%20b"), catalogue)
    assert where.snapshot is catalogue
    assert where.path.raw == f"{PREFIX}/a%20b"
    assert isinstance(where.match.result, Found)


def test_an_ambiguous_path_is_refused_without_being_repeated() -> None:
    with pytest.raises(UnreadablePath) as refusal:
        locate(received("GET", f"{PREFIX}/gh_at_secret%2f"), snapshot(backend_plan()))
    assert (refusal.value.status, refusal.value.reason) == (400, "ambiguous_path")
    assert "gh_at_secret" not in refusal.value.detail


@pytest.mark.parametrize("value", ["1.1 {own}", "1.1 proxy.example, 1.1 {own}", "1.1 {own} (comment), 2 other"])
def test_a_request_that_already_passed_through_is_refused(value: str) -> None:
    request = received("GET", PREFIX, ("via", "1.1 other"), ("via", value.format(own=via_pseudonym())))
    with pytest.raises(LoopDetected) as refusal:
        locate(request, snapshot(backend_plan()))
    assert refusal.value.status == 508


def test_another_gatehouse_on_the_way_is_no_loop() -> None:
    locate(received("GET", PREFIX, ("via", "1.1 gatehouse-000000000000")), snapshot(backend_plan()))


@pytest.mark.parametrize(
    "query", ["a=%ff", "a=b&a=c&a=", "x=%2e%2e%2f", "a='\"<>{}|\\^`[]", "%", "??", "a=" + "b" * 8000]
)
def test_any_printable_query_is_let_through(query: str) -> None:
    assert locate(received(query=query.encode()), snapshot(backend_plan())).received.query == query.encode()


@pytest.mark.parametrize("query", [b"a=\xc3\xa9", b"a=\xff", b"a=b c", b"a=b\nc", b"a=\x00", b"a=\x7f", b"a#b"])
def test_a_query_that_no_target_can_carry_is_refused(query: bytes) -> None:
    with pytest.raises(BadRequest) as refusal:
        locate(received(query=query), snapshot(backend_plan()))
    assert (refusal.value.status, refusal.value.reason) == (400, "query_character")
