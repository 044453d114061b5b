"""One reading of a path, or a refusal: what is authorised is what is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.catalogue.paths import (
    AmbiguousPath,
    BadTemplate,
    CanonicalPath,
    Template,
    canonical,
    compile_prefix,
    compile_template,
)

UNREADABLE = [
    # Dot segments, plain and encoded (RFC 3986 section 3.3)
    "/..",
    "/.",
    "/a/../b",
    "/a/./b",
    "/a/..",
    "/a/.",
    "/../a",
    "/%2e%2e/b",
    "/%2E%2E/b",
    "/.%2e/b",
    "/%2e./b",
    "/%2e",
    # Encoded separators
    "/a%2fb",
    "/a%2Fb",
    "/a%5cb",
    "/a%5Cb",
    "/a%3bb",
    # Encoded again, for a backend that decodes twice, by any of the digits
    "/a%252fb",
    "/a%25252fb",
    "/a%252e%252e/b",
    "/%25%32%65%25%32%65/b",
    "/a%25%32%66b",
    "/a%%32%66b",
    "/a%2%66b",
    "/a%25%35%63b",
    "/a%252%66b",
    "/a%2525252525252541",
    # Control characters
    "/a%00b",
    "/a%0d%0ab",
    "/a%0Ab",
    "/a%1fb",
    "/a%7fb",
    "/a%2500b",
    "/a%c2%80b",
    "/a%C2%9Fb",
    "/a\x00b",
    "/a\nb",
    "/a\tb",
    "/a b",
    # Empty segments
    "//",
    "///",
    "//a",
    "/a//b",
    "/a//",
    # Matrix parameters and backslashes
    "/a;x=1",
    "/a;/b",
    "/..;/b",
    "/;",
    "/a\\b",
    "/\\..\\b",
    # Percent signs that encode nothing
    "/a%",
    "/a%2",
    "/a%zz",
    "/%u002e",
    # Not UTF-8, overlong, surrogates
    "/a%ff",
    "/a%c0%ae",
    "/a%e0%80%ae",
    "/a%ed%a0%80",
    "/a\xff",
    # Another form of target, or no path at all
    "",
    "*",
    "a",
    "http://evil.example/a",
    "evil.example:443",
    "/a#b",
    "/a?b",
    "/a<b",
    '/a"b',
    "/a|b",
    "/a{b}",
    "/a^b",
    "/a`b",
]


@pytest.mark.parametrize("path", UNREADABLE)
def test_a_path_with_two_readings_is_refused(path: str) -> None:
    with pytest.raises(AmbiguousPath):
        canonical(path.encode("latin-1"))


def test_the_refusal_does_not_repeat_the_path() -> None:
    with pytest.raises(AmbiguousPath) as refusal:
        canonical(b"/secret%2ftoken")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", ("",)),
        ("/a", ("a",)),
        ("/a/", ("a", "")),
        ("/a/b", ("a", "b")),
        ("/a.b/..c/d..", ("a.b", "..c", "d..")),
        ("/...", ("...",)),
        ("/caf%C3%A9", ("café",)),
        ("/a%20b+c", ("a b+c",)),
        ("/%41", ("A",)),
        ("/100%25", ("100%",)),
        ("/%2541", ("%41",)),
        ("/a:b@c!$&'()*,=~", ("a:b@c!$&'()*,=~",)),
    ],
)
def test_segments_are_decoded_once_for_comparison(path: str, segments: tuple[str, ...]) -> None:
    assert canonical(path.encode()).segments == segments


PIECES = [*"abz09-._~!$&'()*+,=:@/", "%41", "%20", "%2B", "%C3%A9", "%25", "%e2%82%ac", "%2f", "%2E", "%ff"]


@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
def test_whatever_is_let_through_is_kept_byte_for_byte(rest: str) -> None:
    sent = f"/{rest}"
    try:
        path = canonical(sent.encode())
    except AmbiguousPath:
        return
    assert path.raw == sent
    assert "/" + "/".join(path.raw_segments) == sent
    assert len(path.segments) == len(path.raw_segments)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        path = canonical(raw)
    except AmbiguousPath:
        return
    assert isinstance(path, CanonicalPath)
    assert path.raw.encode() == raw
    assert not {".", ".."} & set(path.segments)
    assert not any(character in segment for segment in path.segments for character in "/\\;\0\r\n")


@pytest.mark.parametrize(
    ("template", "compiled"),
    [
        ("/", Template((), tail=False)),
        ("/jobs", Template(("jobs",), tail=False)),
        ("/jobs/", Template(("jobs", ""), tail=False)),
        ("/jobs/{id}", Template(("jobs", None), tail=False, names=("id",))),
        ("/{a}/x/{b}", Template((None, "x", None), tail=False, names=("a", "b"))),
        ("/files/**", Template(("files",), tail=True)),
        ("/**", Template((), tail=True)),
    ],
)
def test_templates(template: str, compiled: Template) -> None:
    assert compile_template(template) == compiled


@pytest.mark.parametrize(
    "template",
    [
        "",
        "jobs",
        "/jobs//x",
        "//",
        "/jobs/../x",
        "/.",
        "/**/x",
        "/a**",
        "/*/x/**y",
        "/{id}/{id}",
        "/{1d}",
        "/{}",
        "/x{id}",
        "/{id}x",
        "/a b",
        "/a;b",
        "/a%20b",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/café",
        "/{" + "a" * 65 + "}",
        "/a\n",
    ],
)
def test_a_template_that_nothing_can_match_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        compile_template(template)


def test_a_prefix_is_compiled_to_its_segments() -> None:
    assert compile_prefix("/api/v1/jobs/eu_2") == ("api", "v1", "jobs", "eu_2")


@pytest.mark.parametrize(
    "prefix",
    ["", "/", "/api/v1", "/api/v1/", "/api/v1/jobs/", "/api/v1/Jobs", "/api/v2/jobs", "/api/v1/-a", "/api/v1/a%20",
     "/api/v1/a.b", "/mcp", "/admin", "api/v1/jobs", "/api/v1//jobs", "/api/v1/jobs\n", "/api/v1/{id}"],
)  # fmt: skip
def test_a_prefix_elsewhere_is_refused(prefix: str) -> None:
    with pytest.raises(BadTemplate):
        compile_prefix(prefix)
