"""Most tests of the authorization server begin with a client, a person and what they agreed on; or with staff."""

from tests.agreed import make_client, make_world, public, world
from tests.internet import internet
from tests.management_api import api
from tests.staff_browser import staff, viewer

__all__ = ["api", "internet", "make_client", "make_world", "public", "staff", "viewer", "world"]
