"""Whether the backends are there: what the last check found, and how this process gets on with them."""
