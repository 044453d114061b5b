"""Lifecycle of people: deleted, banned, another e-mail address."""
