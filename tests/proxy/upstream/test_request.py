"""The upstream request, put together from parts."""

from urllib.parse import parse_qsl, unquote, urlsplit

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
    target = request_target(backend_plan(), "/a", query, external_id="user_2abc")
    assert target.encode("latin-1") == (b"/a?" + query if query else b"/a")


BOB = [
    "user_id=bob", "user_id", "user_id=", "USER_ID=bob", "%75ser_id=bob", "user%5fid=bob", "user%255Fid=bob",
    "user.id=bob", "user+id=bob", "user%20id=bob", "+user_id=bob", "user_id%00x=bob", "user_id[]=bob",
    "user_id%5B0%5D=bob", "user[id=bob", "a=1;user_id=bob", "user_id=alice&user_id=bob", "user_id=bob;user_id=eve",
]  # fmt: skip


@pytest.mark.parametrize("spelled", BOB)
def test_who_calls_stands_once_in_the_query_and_is_not_the_callers_to_say(spelled: str) -> None:
    backend = backend_plan(identity_query="user_id")
    target = request_target(backend, "/a", f"q=%2f&{spelled}&q=+&;".encode(), external_id="user_2abc")
    assert target in {"/a?q=%2f&q=+&;&user_id=user_2abc", "/a?q=%2f&a=1&q=+&;&user_id=user_2abc"}


@pytest.mark.parametrize("spelled", BOB)
def test_without_a_user_nobody_stands_in_the_query(spelled: str) -> None:
    assert "bob" not in request_target(backend_plan(identity_query="user_id"), "/a", spelled.encode())
    assert request_target(backend_plan(identity_query="user_id"), "/a", b"user_id=bob") == "/a"


OTHERS = st.text("ab[]=&;%25+.\0 ", max_size=40)


@given(OTHERS, st.sampled_from(BOB), OTHERS)
def test_no_spelling_hides_among_others(before: str, spelled: str, after: str) -> None:
    backend = backend_plan(identity_query="user_id")
    target = request_target(backend, "/a", f"{before}&{spelled}&{after}".encode(), external_id="user_2abc")
    assert "bob" not in target
    read = parse_qsl(urlsplit(target).query, keep_blank_values=True)
    assert [value for name, value in read if name == "user_id"] == ["user_2abc"]


@pytest.mark.parametrize(
    "query", ["user_ids=1", "xuser_id=1", "id=user_id", "q=user_id=bob", "user=1&_id=2", "us%er=1"]
)
def test_other_parameters_are_kept_byte_for_byte(query: str) -> None:
    target = request_target(backend_plan(identity_query="user_id"), "/a", query.encode(), external_id="u")
    assert target == f"/a?{query}&user_id=u"


def test_a_value_cannot_leave_its_parameter() -> None:
    backend = backend_plan(identity_query="user_id")
    target = request_target(backend, "/a", b"", external_id="a&role=admin#\r\n é")
    assert target == "/a?user_id=a%26role%3Dadmin%23%0D%0A%20%C3%A9"


def test_the_gateways_parameter_replaces_the_callers() -> None:
    backend = backend_plan(credential_parameter="api_key=ours", identity_query="u")
    assert request_target(backend, "/a", b"Api_Key=x&q=1", external_id="ana") == "/a?q=1&u=ana&api_key=ours"


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


def test_tenant_and_roles_stand_in_headers_of_their_own() -> None:
    """A role may have any character; between two of them stands a comma and nowhere else."""
    roles = ("admin", "site, one", "josé", "100%", "a\r\nX-Scopes: all")
    headers = dict(
        identity_headers(backend_plan(), external_id="u", client_id="c", scopes="s", tenant="org 1\n", roles=roles)
    )
    assert headers["x-tenant-id"] == "org%201%0A"
    assert headers["x-roles"] == "admin,site%2C%20one,jos%C3%A9,100%25,a%0D%0AX-Scopes:%20all"
    assert [unquote(role) for role in headers["x-roles"].split(",")] == list(roles)


def test_what_nobody_says_has_no_header() -> None:
    names = {name for name, _value in identity_headers(backend_plan(), external_id="u", client_id="c", scopes="")}
    assert names == {"x-user-id", "x-client-id"}
