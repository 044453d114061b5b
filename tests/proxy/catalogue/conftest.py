"""The admin's pages and the management API are tested as members of staff."""

from tests.management_api import api
from tests.staff_browser import staff, viewer

__all__ = ["api", "staff", "viewer"]
