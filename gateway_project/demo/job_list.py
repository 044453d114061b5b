"""The page that AI clients show with a search of the demo: the positions, to be read, narrowed and asked about."""

from pathlib import Path
from typing import Final

from django.db import transaction

from proxy.catalogue.models import Backend
from proxy.catalogue.save import save_operation
from proxy.catalogue.ui_resources.models import UiResource
from proxy.catalogue.ui_resources.save import save_ui_resource

URI: Final = "ui://careers/job-list.html"
DOCUMENT: Final = Path(__file__).with_suffix(".html")
SEARCH: Final = "searchJobs"


@transaction.atomic
def add_job_list(*, backend: Backend, reason: str) -> None:
    """Make the page and let the search of `backend` show it; what staff did with either since is kept."""
    if UiResource.objects.filter(uri=URI).exists():
        return
    page = UiResource(
        uri=URI,
        title="Open positions",
        description="A list of the positions that were found, with their pay, place and skills.",
        html=DOCUMENT.read_text(),
    )
    save_ui_resource(page=page, actor=None, reason=reason)
    search = backend.operations.filter(operation_id=SEARCH, ui_resource=None).first()
    if search is not None:
        search.ui_resource = page
        save_operation(operation=search, actor=None, fields=["ui_resource"], reason=reason)
