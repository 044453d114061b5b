"""Pages that AI clients show with a tool's result: MCP Apps (SEP-1865), and OpenAI's words for the same."""
