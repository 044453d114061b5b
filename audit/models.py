"""Index of the app's models."""

from audit.ledger.models import Event, Subject

__all__ = ["Event", "Subject"]
