"""Walk the way of an MCP client through the running demo, in the terminal."""

from collections.abc import Iterator

from gateway_project.demo.facts import Facts
from gateway_project.demo.mcp_walk import McpWalk
from gateway_project.demo.walk import Step
from gateway_project.demo.walk_command import WalkCommand


class Command(WalkCommand):
    """The way of ChatGPT, Claude, Cursor and VS Code with one URL."""

    help = "From a URL and a 401 to the revoked token: what an MCP client does, step by step."
    last_words = "That is all an MCP client needs: one URL. Every step above is in the audit log."

    def steps(self, facts: Facts, username: str) -> Iterator[Step]:
        """Every step of a client that nobody here knew before."""
        return McpWalk(facts, username).steps()
