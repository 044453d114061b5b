"""The pages of a snapshot, as MCP clients list and read them."""

from collections.abc import Iterable

from proxy.catalogue.models import Operation
from proxy.catalogue.plans import OwnResource, ToolPlan
from proxy.catalogue.ui_resources.meta import MIME_TYPE, resource_meta
from proxy.catalogue.ui_resources.models import UiResource


def shown_pages() -> dict[int, OwnResource]:
    """Every page that an enabled operation shows, by its key, read in one statement."""
    shown = Operation.objects.filter(enabled=True, backend__enabled=True, ui_resource__isnull=False)
    return {page.pk: _own(page) for page in UiResource.objects.filter(pk__in=shown.values("ui_resource_id"))}


def _own(page: UiResource) -> OwnResource:
    meta = resource_meta(page)
    definition = {
        "uri": page.uri,
        "name": page.name,
        "title": page.title,
        "mimeType": MIME_TYPE,
        "size": len(page.html.encode()),
        "_meta": meta,
    }
    if page.description:
        definition["description"] = page.description
    contents = {"uri": page.uri, "mimeType": MIME_TYPE, "text": page.html, "_meta": meta}
    return OwnResource(uri=page.uri, definition=definition, contents=contents)


def pages_of(tools: Iterable[ToolPlan]) -> dict[str, OwnResource]:
    """The pages that a choice of tools shows, by their URIs."""
    return {plan.page.uri: plan.page for plan in tools if plan.page is not None}
