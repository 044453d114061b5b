"""Index of the slices' admin, so that Django finds them."""
