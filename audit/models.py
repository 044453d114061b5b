"""Index of the app's models."""

from audit.ledger.models import ClosingMark, Event, Subject

__all__ = ["ClosingMark", "Event", "Subject"]
