"""Which URIs a template stands for."""

import pytest

from proxy.entrypoints.mcp.uri_templates import URI_MAX, stands_for


@pytest.mark.parametrize(
    ("template", "uri", "stands"),
    [
        ("file:///{name}", "file:///a", True),
        ("file:///{name}.md", "file:///a.b.md", True),
        ("file:///{name}.md", "file:///.md", False),
        ("file:///{name}", "file:///a/b", False),
        ("file:///{name}", "file:///a%2fb", False),
        ("file:///{name}", "file:///a%5Cb", False),
        ("file:///{name}", "file:///%2e%2e", False),
        ("file:///{name}", "file:///a%00", False),
        ("file:///{+path}", "file:///a/b", True),
        ("file:///{+path}", "file:///a/../b", False),
        ("file:///{+path}", "file:///a/%2e./b", False),
        ("db://{table}/{row}", "db://jobs/7", True),
        ("db://{table}/{row}", "db://jobs/", False),
        ("db://{table}/{row}", "db://jobs/7/8", False),
        ("db://{table}/{row}/x", "db://jobs/7/x", True),
        ("db://{a}{b}", "db://xy", False),
        ("db://{?q}", "db://?q=1", False),
        ("db://plain", "db://plain", False),
        ("db://{", "db://{", False),
        ("{scheme}://x", "db://x", True),
        ("db://{a}-{b}-{c}", "db://" + "-" * 1000, True),
        ("db://{a}", "db://" + "x" * URI_MAX, False),
    ],
)
def test_a_template_stands_for(template: str, uri: str, stands: bool) -> None:
    assert stands_for(template, uri) is stands
