"""Long lists, page by page, in the order of their names: where the next page starts stands in the cursor."""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final, Protocol

from oauth_provider.strict_json import loads
from proxy.entrypoints.mcp.caller import Reply
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange

PAGE: Final = 200
# A change of the catalogue is seen by a client that keeps its list for so long
TTL_MS: Final = 60_000


class Shown(Protocol):
    """What a list has entries of; `written` is the entry as JSON."""

    @property
    def name(self) -> str:
        """Its place in the order."""
        ...

    @property
    def written(self) -> str:
        """The entry."""
        ...


async def answer_page(exchange: Exchange, member: str, shown: Sequence[Shown]) -> Reply:
    """The reply that lists, as `member`, one page of `shown`, which are in the order of their names.

    Raises:
        InvalidParams: the cursor is none of ours.
        RateLimited, AuditUnavailable: see there.
    """
    after = _position(exchange.message.params.get("cursor"))
    start = bisect_right(shown, after, key=attrgetter("name"))
    listed = shown[start : start + PAGE]
    following = {"nextCursor": _cursor(listed[-1].name)} if start + PAGE < len(shown) else {}
    result = exchange.revision.cacheable(following, ttl_ms=TTL_MS) | {member: []}
    return replace(await exchange.answered(result), entries=tuple(each.written for each in listed))


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([name]).encode()).decode()


def _position(cursor: object) -> str:
    if cursor is None:
        return ""
    try:
        found = loads(base64.urlsafe_b64decode(str(cursor)))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        raise InvalidParams("params.cursor must be the nextCursor of an earlier page.")
    return found[0]
