"""What a tool says of the page that clients show with its result (MCP Apps 2026-01-26, Resource Discovery)."""

from typing import Any


def page_meta(uri: str) -> dict[str, Any]:
    """Of its `_meta`: the extension's word, the one it had before, and that of OpenAI's Apps SDK."""
    return {"ui": {"resourceUri": uri}, "ui/resourceUri": uri, "openai/outputTemplate": uri}
