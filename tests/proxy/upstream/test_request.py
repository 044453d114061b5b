"""The upstream request, put together from parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.request import header_value, identity_headers, request_target, upstream_path
from tests.proxy.plans import backend_plan


@pytest.mark.parametrize(
    ("base", "rest", "path"),
    [
        ("http://jobs.example", "", "/"),
        ("http://jobs.example", "/", "/"),
        ("http://jobs.example", "/a%20b", "/a%20b"),
        ("http://jobs.example/api/v2", "", "/api/v2"),
        ("http://jobs.example/api/v2/", "/", "/api/v2/"),
        ("http://jobs.example/api/v2", "/api/v2/a/", "/api/v2/api/v2/a/"),
    ],
)
def test_a_path_is_the_base_and_what_followed_the_prefix(base: str, rest: str, path: str) -> None:
    assert upstream_path(backend_plan(base), rest) == path


@given(st.binary(max_size=60))
def test_a_query_is_kept_byte_for_byte(query: bytes) -> None:
    target = request_target("/a", query)
    assert target.encode("latin-1") == (b"/a?" + query if query else b"/a")


def test_every_header_named_for_the_user_repeats_the_user() -> None:
    backend = backend_plan(identity_headers=("X-Clerk-User-Id", "X-Gpt-Clerk-User-Id"))
    assert identity_headers(backend, external_id="user_2abc", client_id="c1", scopes="a b") == (
        ("x-user-id", "user_2abc"),
        ("x-clerk-user-id", "user_2abc"),
        ("x-gpt-clerk-user-id", "user_2abc"),
        ("x-client-id", "c1"),
        ("x-scopes", "a b"),
    )


def test_what_is_not_known_is_left_out() -> None:
    backend = backend_plan(identity_headers=("X-Clerk-User-Id",))
    assert identity_headers(backend, external_id="", client_id="c1", scopes="") == (("x-client-id", "c1"),)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("user_2abc", "user_2abc"),
        ("local:7", "local:7"),
        ("José", "Jos%C3%A9"),
        ("a\r\nX-User-Id: evil", "a%0D%0AX-User-Id:%20evil"),
        ("a\0b", "a%00b"),
        ("100%", "100%25"),
        ("\U0001f600", "%F0%9F%98%80"),
    ],
)
def test_a_value_is_printable_ascii(text: str, value: str) -> None:
    assert header_value(text) == value


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_two_users_are_never_one_header(one: str, other: str) -> None:
    assert (header_value(one) == header_value(other)) == (one == other)
    assert header_value(one).isascii()
    assert header_value(one).isprintable()
