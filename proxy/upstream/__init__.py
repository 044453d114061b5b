"""The way to a backend: which addresses, which bytes, whose name."""
