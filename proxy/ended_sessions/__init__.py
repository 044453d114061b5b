"""Sessions that their clients ended: what the client holds could still be opened, so the database remembers."""
