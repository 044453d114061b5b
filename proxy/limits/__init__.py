"""How much: calls per window, calls at the same time."""
