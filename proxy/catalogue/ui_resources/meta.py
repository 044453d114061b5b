"""What clients read about a page: the `_meta` of the resource, and the policy the page runs under.

MCP Apps, revision 2026-01-26, section UI Resource Format; the names that begin with `openai/`
are those of OpenAI's Apps SDK, for clients of it that do not read the others yet.
"""

from collections.abc import Iterable
from typing import Any, Final

from proxy.catalogue.ui_resources.models import UiResource

JsonObject = dict[str, Any]

MIME_TYPE: Final = "text/html;profile=mcp-app"


def resource_meta(page: UiResource) -> JsonObject:
    """`_meta` of the resource, in `resources/list` and with its contents."""
    domains = {
        "connect": page.connect_domains,
        "resource": page.resource_domains,
        "frame": page.frame_domains,
    }
    named = {name: list(origins) for name, origins in domains.items() if origins}
    ui: JsonObject = {"prefersBorder": page.prefers_border}
    mirror: JsonObject = {
        "openai/widgetPrefersBorder": page.prefers_border,
        # Both keys are asked for, empty or not
        "openai/widgetCSP": {"connect_domains": [], "resource_domains": []}
        | {f"{name}_domains": origins for name, origins in named.items()},
    }
    if named:
        ui["csp"] = {f"{name}Domains": origins for name, origins in named.items()}
    if page.domain:
        ui["domain"] = mirror["openai/widgetDomain"] = page.domain
    if page.description:
        mirror["openai/widgetDescription"] = page.description
    return {"ui": ui, **mirror}


def preview_policy(page: UiResource) -> str:
    """The Content-Security-Policy of the page in the admin: what hosts must enforce (section Security Implications).

    Without 'self', which hosts allow: here it would be the gateway. The sandbox holds even where no frame is around it.
    """
    resources, frames = page.resource_domains, page.frame_domains
    directives = {
        "sandbox": ["allow-scripts"],
        "default-src": ["'none'"],
        "script-src": ["'unsafe-inline'", *resources],
        "style-src": ["'unsafe-inline'", *resources],
        "img-src": ["data:", *resources],
        "font-src": ["data:", *resources],
        "media-src": ["data:", *resources],
        "connect-src": _or_none(page.connect_domains),
        "frame-src": _or_none(frames),
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def _or_none(origins: Iterable[str]) -> list[str]:
    return list(origins) or ["'none'"]
