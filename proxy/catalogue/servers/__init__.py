"""MCP servers that staff put together: a choice of tools at an address of its own."""
