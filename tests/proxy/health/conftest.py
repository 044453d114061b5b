"""The page is looked at by members of staff."""

from tests.staff_browser import staff, viewer

__all__ = ["staff", "viewer"]
