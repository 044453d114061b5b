"""Long lists, page by page, in the order of their names: where the next page starts stands in the cursor."""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Final

from oauth_provider.strict_json import loads
from proxy.entrypoints.mcp.errors import InvalidParams
from proxy.entrypoints.mcp.exchange import Exchange
from proxy.entrypoints.mcp.messages import JsonObject

PAGE: Final = 200
# A change of the catalogue is seen by a client that keeps its list for so long
TTL_MS: Final = 60_000


def page(exchange: Exchange, member: str, shown: Iterable[tuple[str, JsonObject]]) -> JsonObject:
    """The result that lists, as `member`, one page of `shown`: names in their order, each with what is shown of it.

    Raises:
        InvalidParams: the cursor is none of ours.
    """
    after = _position(exchange.message.params.get("cursor"))
    left = [(name, definition) for name, definition in shown if name > after]
    result: JsonObject = {member: [definition for _name, definition in left[:PAGE]]}
    if len(left) > PAGE:
        result["nextCursor"] = _cursor(left[PAGE - 1][0])
    return exchange.revision.cacheable(result, ttl_ms=TTL_MS)


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
