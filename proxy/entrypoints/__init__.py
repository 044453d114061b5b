"""Protocol in, protocol out; no policy."""
