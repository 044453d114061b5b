"""The bulkhead: a slow backend holds its own places and nobody else's."""

import pytest

from proxy.limits.concurrency import Bulkhead
from proxy.refusals import Overloaded
from tests.proxy.plans import backend_plan

JOBS = backend_plan(name="jobs", max_concurrency=2)
PEOPLE = backend_plan(name="people", max_concurrency=1)


def test_a_full_backend_takes_nobody() -> None:
    bulkhead = Bulkhead()
    bulkhead.enter(JOBS)
    bulkhead.enter(JOBS)
    with pytest.raises(Overloaded):
        bulkhead.enter(JOBS)


def test_the_other_backends_are_not_affected() -> None:
    bulkhead = Bulkhead()
    bulkhead.enter(JOBS)
    bulkhead.enter(JOBS)
    bulkhead.enter(PEOPLE)


def test_a_place_given_back_is_free() -> None:
    bulkhead = Bulkhead()
    for _call in range(10):
        bulkhead.enter(PEOPLE)
        bulkhead.leave(PEOPLE)
    bulkhead.enter(PEOPLE)


def test_a_narrowed_backend_counts_those_who_are_inside() -> None:
    bulkhead = Bulkhead()
    bulkhead.enter(JOBS)
    with pytest.raises(Overloaded):
        bulkhead.enter(backend_plan(name="jobs", max_concurrency=1))
