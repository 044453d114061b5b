"""MCP servers as backends: what they offer, what of it staff approved, and what clients therefore see."""
