"""A refusal as an answer: application/problem+json (RFC 9457) with the members of the contract."""

import inspect
import json
import re
from collections.abc import Callable

import pytest

from proxy import refusals
from proxy.entrypoints.problem import render
from proxy.refusals import InsufficientScope, NoDocument, RateLimited, Refusal, TooLarge, Unavailable

MEMBERS = {"type", "title", "status", "detail", "request_id", "error", "error_description"}
LEAVES: dict[type[Refusal], Callable[[], Refusal]] = {
    RateLimited: lambda: RateLimited(retry_after_s=7, resets_at=1_700_000_000, headers=(("ratelimit", "x"),)),
    TooLarge: lambda: TooLarge(10),
    refusals.ToolResultTooLarge: lambda: refusals.ToolResultTooLarge(10),
    NoDocument: lambda: NoDocument([{"operation": "x", "change": "y"}]),
}
EVERY = [refusal for _name, refusal in inspect.getmembers(refusals, inspect.isclass) if issubclass(refusal, Refusal)]


@pytest.mark.parametrize("kind", EVERY)
def test_every_refusal_has_the_members_of_the_contract(kind: type[Refusal]) -> None:
    refusal = LEAVES.get(kind, kind)()
    headers, body = render(refusal, request_id="r-1")
    document = json.loads(body)
    assert set(document) >= MEMBERS
    assert (document["status"], document["request_id"]) == (refusal.status, "r-1")
    assert document["error_description"] == document["detail"] == refusal.detail
    assert dict(headers)["content-type"] == "application/problem+json"
    assert int(dict(headers)["content-length"]) == len(body)
    assert (dict(headers)["cache-control"], dict(headers)["vary"]) == ("no-store", "Origin")
    assert all(name == name.lower() for name, _value in headers)


@pytest.mark.parametrize("kind", EVERY)
def test_every_refusal_has_a_slug_and_a_status_of_an_error(kind: type[Refusal]) -> None:
    assert 400 <= kind.status <= 599
    assert re.fullmatch(r"[a-z_]+", kind.error)
    assert re.fullmatch(r"[a-z_]+", kind.reason)


def test_every_refusal_stands_in_the_tree() -> None:
    tree = str(refusals.__doc__)
    assert [kind.__name__ for kind in EVERY if not re.search(rf"\b{kind.__name__}\b", tree)] == []


def test_the_reason_is_for_the_ledger_only() -> None:
    _headers, body = render(Unavailable(reason="a_private_reason"), request_id="r")
    assert b"a_private_reason" not in body


def test_a_limit_says_when_to_come_back() -> None:
    headers, body = render(LEAVES[RateLimited](), request_id="r")
    document = json.loads(body)
    assert (document["retry_after"], document["resets_at"]) == (7, 1_700_000_000)
    assert dict(headers)["retry-after"] == "7"


def test_the_headers_of_a_refusal_go_out_with_it() -> None:
    headers, _body = render(InsufficientScope(headers=(("www-authenticate", "Bearer x"),)), request_id="r")
    assert dict(headers)["www-authenticate"] == "Bearer x"


def test_a_503_says_when_to_try_again() -> None:
    assert dict(render(Unavailable(), request_id="r")[0])["retry-after"] == "1"
