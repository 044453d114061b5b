"""The pages of an import are tested as members of staff, addresses with an internet of their own."""

from tests.internet import internet
from tests.staff_browser import staff, viewer

__all__ = ["internet", "staff", "viewer"]
