"""Whether the operation exists and the principal may use it; what is not allowed is refused."""

from dataclasses import replace

import pytest

from proxy.catalogue.plans import BackendPlan
from proxy.pipeline.call import Principal, Received
from proxy.pipeline.validate import validate
from proxy.refusals import InsufficientScope, MethodNotAllowed, NotRegistered, TooLarge
from tests.proxy.plans import ANA, NOBODY, PREFIX, GivenBody, backend_plan, operation_plan, received, transformed

READ = operation_plan(operation_id="read", scopes=("jobs:read",))
BOTH = operation_plan(operation_id="both", scopes=("jobs:read", "jobs:write"))
FREE = operation_plan(operation_id="free", scopes=())
KEYED = operation_plan(operation_id="keyed", auth_mode="api_key")
OUTSIDE = operation_plan(operation_id="outside", auth_mode="issuer")
OPEN = operation_plan(operation_id="open", auth_mode="public")
THEIRS = operation_plan(operation_id="theirs", auth_mode="passthrough")
EITHER = operation_plan(operation_id="either", any_of=(("jobs:write", "jobs:admin"),))
POST = operation_plan(operation_id="post", max_request_bytes=10)
GETS = tuple(
    ("GET", f"/{plan.operation_id}", plan) for plan in (READ, BOTH, FREE, EITHER, KEYED, OUTSIDE, OPEN, THEIRS)
)
BACKEND = backend_plan(operations=(*GETS, ("POST", "/read", POST)))


def allowed(
    path: str,
    principal: Principal = ANA,
    *,
    request: Received | None = None,
    backend: BackendPlan = BACKEND,
    **changes: object,
) -> str:
    """The operation that a call may use."""
    request = request or received("GET", f"{PREFIX}{path}")
    return validate(transformed(request, backend, principal, **changes)).operation.operation_id


def holding(*scopes: str, kind: str = "user") -> Principal:
    """Ana with these scopes."""
    return replace(ANA, kind=kind, scopes=frozenset(scopes))


@pytest.mark.parametrize(
    ("path", "principal"),
    [
        ("/read", holding("jobs:read")),
        ("/read", holding("jobs:read", "jobs:write")),
        ("/both", holding("jobs:read", "jobs:write")),
        ("/free", holding()),
        ("/either", holding("jobs:read", "jobs:write")),
        ("/keyed", holding("jobs:read", kind="api_key")),
        ("/outside", holding("jobs:read")),
        ("/open", NOBODY),
        ("/theirs", Principal(kind="passthrough")),
    ],
)
def test_who_holds_every_scope_may(path: str, principal: Principal) -> None:
    assert allowed(path, principal) == path[1:]


@pytest.mark.parametrize(
    ("path", "principal", "needed"),
    [
        ("/read", holding(), "jobs:read"),
        ("/read", holding("jobs:write"), "jobs:read"),
        ("/read", holding("jobs:readx", "jobs"), "jobs:read"),
        ("/both", holding("jobs:read"), "jobs:read jobs:write"),
        ("/either", holding("jobs:write"), "jobs:read"),
        ("/either", holding("jobs:read"), "jobs:read"),
        ("/either", holding("jobs:read", "jobs:admin"), "jobs:read"),
        ("/keyed", holding(kind="api_key"), "jobs:read"),
        ("/outside", holding(), "jobs:read"),
    ],
)
def test_a_missing_scope_is_refused_with_all_that_are_needed(path: str, principal: Principal, needed: str) -> None:
    with pytest.raises(InsufficientScope) as refusal:
        allowed(path, principal)
    assert dict(refusal.value.headers)["www-authenticate"] == (
        f'Bearer resource_metadata="{BACKEND.resource_metadata}", scope="{needed}", error="insufficient_scope", '
        'error_description="The access token lacks a permission that this operation needs"'
    )


def test_a_scope_that_staff_disabled_opens_nothing() -> None:
    with pytest.raises(InsufficientScope):
        allowed("/read", holding("jobs:read"), enabled_scopes=frozenset({"jobs:write"}))


def test_an_unknown_path_is_not_registered() -> None:
    with pytest.raises(NotRegistered) as refusal:
        allowed("/else")
    assert (refusal.value.status, refusal.value.headers) == (404, ())


def test_another_method_is_told_which_there_are() -> None:
    with pytest.raises(MethodNotAllowed) as refusal:
        allowed("", request=received("DELETE", f"{PREFIX}/read"))
    assert dict(refusal.value.headers)["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("length", [None, 0, 10])
def test_a_body_that_may_fit_is_let_on(length: int | None) -> None:
    assert allowed("", request=received("POST", f"{PREFIX}/read", body=GivenBody(length=length))) == "post"


def test_a_body_announced_too_large_is_refused_unread() -> None:
    with pytest.raises(TooLarge) as refusal:
        allowed("", request=received("POST", f"{PREFIX}/read", body=GivenBody(length=11)))
    assert refusal.value.status == 413
    assert dict(refusal.value.headers) == {"connection": "close"}


def test_scope_comes_before_size() -> None:
    with pytest.raises(InsufficientScope):
        allowed("", holding(), request=received("POST", f"{PREFIX}/read", body=GivenBody(length=11)))
