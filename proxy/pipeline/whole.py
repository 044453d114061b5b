"""Bodies that are in memory already, and one of which the beginning is."""

from collections.abc import AsyncIterator
from dataclasses import replace

from proxy.pipeline.call import Answer, Constrained, Headers, Received


def carrying(constrained: Constrained, received: Received, *, headers: Headers | None = None) -> Constrained:
    """The same call with another request, and with other headers where they are given."""
    validated = constrained.validated
    transformed = validated.transformed
    identified = transformed.identified
    located = replace(identified.located, received=received)
    transformed = replace(
        transformed,
        identified=replace(identified, located=located),
        headers=transformed.headers if headers is None else headers,
    )
    return replace(constrained, validated=replace(validated, transformed=transformed))


class WholeBody:
    """A body that was read already; it can be read again."""

    def __init__(self, content: bytes | None) -> None:
        self.length = None if content is None else len(content)
        self.received = self.length or 0
        self._content = content

    async def open(self, *, limit: int, until: float) -> bytes | AsyncIterator[bytes] | None:
        """All of it, None without one."""
        del limit, until
        return self._content


class Prefixed:
    """An answer's body of which the beginning was read already."""

    def __init__(self, start: bytes, answer: Answer) -> None:
        self._start = start
        self._rest = answer.stream

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        start, self._start = self._start, b""
        return start or await self._rest.read()

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._rest.aclose()


class WholeAnswer:
    """An answer's body from memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self) -> bytes:
        """All of it, then b""."""
        content, self._content = self._content, b""
        return content

    async def aclose(self) -> None:
        """Nothing to let go."""
