"""A catalogue with a tool that a page belongs to."""

import pytest

from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.catalogue.ui_resources.models import UiResource
from proxy.catalogue.ui_resources.save import save_ui_resource
from tests.management_api import api
from tests.staff_browser import staff, viewer

__all__ = ["api", "staff", "viewer"]

URI = "ui://jobs/list.html"
HTML = "<!doctype html>\n<title>Jobs</title>\n<p>São Paulo</p>\n"


@pytest.fixture
def page(db: None) -> UiResource:
    """A page that may load from one origin."""
    del db
    page = UiResource(uri=URI, title="Jobs", html=HTML, resource_domains=["https://cdn.example.com"])
    save_ui_resource(page=page, actor=None)
    return page


@pytest.fixture
def search(db: None) -> Operation:
    """A tool without a page."""
    del db
    backend = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example/api")
    save_backend(backend=backend, actor=None)
    operation = Operation(backend=backend, operation_id="search", methods=["GET"], path="/search")
    save_operation(operation=operation, actor=None)
    return operation
