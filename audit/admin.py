"""Index of the app's admin pages."""

from audit.ledger.admin import EventAdmin

__all__ = ["EventAdmin"]
