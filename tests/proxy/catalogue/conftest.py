"""The admin's pages are tested as members of staff."""

from tests.staff_browser import staff, viewer

__all__ = ["staff", "viewer"]
