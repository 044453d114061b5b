"""What clients see of a page: in the tool that shows it, in the list of resources, and in its contents."""

import pytest

from proxy.catalogue.models import Operation
from proxy.catalogue.plans import MCP_PATH, ServerPlan
from proxy.catalogue.snapshot import build
from proxy.catalogue.ui_resources.meta import preview_policy
from proxy.catalogue.ui_resources.models import UiResource
from tests.proxy.catalogue.ui_resources.conftest import HTML, URI

MIME_TYPE = "text/html;profile=mcp-app"


def server() -> ServerPlan:
    """The server of every tool, compiled from what is stored."""
    return build(revision=1).servers[MCP_PATH]


def show(search: Operation, page: UiResource | None) -> None:
    """Let the tool show the page."""
    Operation.objects.filter(pk=search.pk).update(ui_resource=page)


def test_a_tool_names_its_page_in_every_words_that_clients_know(page: UiResource, search: Operation) -> None:
    assert set(server().tools["search"].tool.descriptor["_meta"]) == {"securitySchemes"}
    show(search, page)
    meta = server().tools["search"].tool.descriptor["_meta"]
    assert meta["ui"] == {"resourceUri": URI}
    assert (meta["ui/resourceUri"], meta["openai/outputTemplate"]) == (URI, URI)
    assert meta["securitySchemes"]


def test_a_page_is_listed_and_read_as_the_extension_says(page: UiResource, search: Operation) -> None:
    show(search, page)
    own = server().own_resources[URI]
    meta = {
        "ui": {"prefersBorder": True, "csp": {"resourceDomains": ["https://cdn.example.com"]}},
        "openai/widgetPrefersBorder": True,
        "openai/widgetCSP": {"connect_domains": [], "resource_domains": ["https://cdn.example.com"]},
    }
    assert own.definition == {
        "uri": URI, "name": "jobs/list", "title": "Jobs", "mimeType": MIME_TYPE, "size": len(HTML.encode()),
        "_meta": meta,
    }  # fmt: skip
    assert own.contents == {"uri": URI, "mimeType": MIME_TYPE, "text": HTML, "_meta": meta}


def test_everything_else_a_page_says_is_said_in_both_words(page: UiResource, search: Operation) -> None:
    page.connect_domains, page.frame_domains = ["https://api.example.com"], ["https://video.example.com"]
    page.resource_domains, page.prefers_border = [], False
    page.domain, page.description = "https://jobs.example.com", "Positions that were found."
    page.save()
    show(search, page)
    definition = server().own_resources[URI].definition
    assert definition["description"] == "Positions that were found."
    assert definition["_meta"] == {
        "ui": {
            "prefersBorder": False,
            "csp": {"connectDomains": ["https://api.example.com"], "frameDomains": ["https://video.example.com"]},
            "domain": "https://jobs.example.com",
        },
        "openai/widgetPrefersBorder": False,
        "openai/widgetCSP": {
            "connect_domains": ["https://api.example.com"],
            "resource_domains": [],
            "frame_domains": ["https://video.example.com"],
        },
        "openai/widgetDomain": "https://jobs.example.com",
        "openai/widgetDescription": "Positions that were found.",
    }


@pytest.mark.parametrize("change", [{"enabled": False}, {"tool_name": None}, {"auth_mode": "public"}])
def test_a_page_that_no_tool_shows_is_not_there(page: UiResource, search: Operation, change: dict[str, object]) -> None:
    assert not server().own_resources
    show(search, page)
    Operation.objects.filter(pk=search.pk).update(**change)
    assert not server().own_resources


def test_in_a_preview_a_page_reaches_its_own_origins_and_never_ours(page: UiResource) -> None:
    policy = dict(part.partition(" ")[::2] for part in preview_policy(page).split("; "))
    assert policy["sandbox"] == "allow-scripts"
    assert policy["script-src"] == "'unsafe-inline' https://cdn.example.com"
    assert {policy[name] for name in ("default-src", "connect-src", "frame-src", "form-action", "base-uri")} == {
        "'none'"
    }
    assert [name for name, sources in policy.items() if "'self'" in sources] == ["frame-ancestors"]
