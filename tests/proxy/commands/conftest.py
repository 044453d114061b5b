"""Commands that fetch something are tested with an internet of their own."""

from tests.internet import internet

__all__ = ["internet"]
