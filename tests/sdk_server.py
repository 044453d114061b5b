"""A server made with the MCP project's own Python library, on the loopback."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from mcp.server.mcpserver import MCPServer

PATH = "/mcp"


def weather_server() -> MCPServer:
    """Two tools, a prompt, a resource and a resource template."""
    server = MCPServer("weather", instructions="Ask for one city at a time.")

    @server.tool()
    def forecast(city: str) -> str:
        """The weather of tomorrow."""
        return f"Sun in {city}"

    @server.tool()
    def erase(city: str) -> str:
        """Forget a city."""
        return f"Forgot {city}"

    @server.prompt()
    def plan(city: str) -> str:
        """Plan a day."""
        return f"Plan a day in {city}"

    @server.resource("weather://cities")
    def cities() -> str:
        """Every city."""
        return "Lisbon"

    @server.resource("weather://cities/{city}")
    def city(city: str) -> str:
        """One city."""
        return city

    return server


@contextmanager
def served(server: MCPServer) -> Iterator[str]:
    """The URL of its endpoint while it runs, in a thread of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = server.streamable_http_app(streamable_http_path=PATH)
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
        thread = Thread(target=lambda: asyncio.run(running.serve([listener])), daemon=True)
        listener.listen()
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
        finally:
            running.should_exit = True
            thread.join(5)
