"""MCP as a client speaks it: what a message to a backend looks like, and what its answer says, in both eras."""
