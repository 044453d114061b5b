"""The authorization endpoint: request, checks, consent page, decision."""
