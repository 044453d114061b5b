"""What staff set limits with."""

from tests.management_api import api
from tests.staff_browser import staff

__all__ = ["api", "staff"]
