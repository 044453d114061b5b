"""How calls went, for whoever watches: counted and timed, never who made them."""
