"""Most tests of the authorization server begin with a client, a person and what they agreed on."""

from tests.agreed import make_client, make_world, public, world

__all__ = ["make_client", "make_world", "public", "world"]
