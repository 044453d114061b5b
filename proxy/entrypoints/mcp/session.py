"""What is remembered between messages, by the client alone: sealed, so that any worker can read it and nobody else.

A session stands for one at an MCP server that keeps them; a question is what such a server asks a client in the middle
of a call. Both are good for the caller they were made for, at one server, and for a while.
"""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from oauth_provider.keys.encryption import Undecipherable, decrypt, encrypt
from proxy.entrypoints.mcp.caller import Caller
from proxy.refusals import NotRegistered

SESSION_S: Final = 86_400
QUESTION_S: Final = 3600
SEALED_MAX: Final = 6000


class SessionOver(NotRegistered):
    """404 tells a client to initialize again (2025-11-25, streamable HTTP, session management)."""

    reason = "mcp_session_over"
    detail = "There is no such session, or it is over; initialize again."


@dataclass(frozen=True, slots=True)
class Session:
    """A session at an MCP server behind this one: its id there, and what the client says it can be asked.

    `announces` are those of the server's own capabilities that need a session, such as `resources.subscribe`. Once a
    client shows it, `digest` is the SHA-256 of what it shows, and `until` when that is over, in seconds of the epoch.
    """

    upstream_id: str
    version: str
    capabilities: list[str]
    announces: list[str] = field(default_factory=list)
    digest: str = ""
    until: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A request of an MCP server behind this one to a client: its id there, and the session it belongs to."""

    upstream_id: str
    version: str
    request_id: str | int


@dataclass(frozen=True, slots=True)
class Pending:
    """A call in which a server behind this one asks a client of 2026-07-28, and waits for it in a session there.

    `request_id` is that of the question, `call_id` that of the call; `call` is the SHA-256 of what was called. What the
    server says next is the next turn of `talk`.
    """

    upstream_id: str
    version: str
    request_id: str | int
    call_id: str | int
    call: str
    talk: str
    turn: int


Sealable = Session | Question | Pending


def seal(sealed: Sealable, caller: Caller) -> str:
    """`sealed` as visible ASCII, for `caller` and its server alone."""
    lasts_s = SESSION_S if isinstance(sealed, Session) else QUESTION_S
    content = [type(sealed).__name__, _owner(caller), int(time.time()) + lasts_s, asdict(sealed)]
    return encrypt(json.dumps(content).encode())


def session_of(sealed: str, caller: Caller) -> Session:
    """The session that `caller` shows.

    Raises:
        SessionOver: it is none, somebody else's, another server's, or too old.
    """
    content, until = _unsealed(sealed, caller, Session)
    return Session(**content | {"digest": hashlib.sha256(sealed.encode()).hexdigest(), "until": until})


def question_of(sealed: str, caller: Caller) -> Question:
    """The request that `caller` answers.

    Raises:
        SessionOver: as for a session.
    """
    content, _until = _unsealed(sealed, caller, Question)
    return Question(**content)


def pending_of(sealed: str, caller: Caller) -> Pending:
    """The call that `caller` goes on with.

    Raises:
        SessionOver: as for a session.
    """
    content, _until = _unsealed(sealed, caller, Pending)
    return Pending(**content)


def _unsealed(sealed: str, caller: Caller, kind: type[Sealable]) -> tuple[dict[str, Any], int]:
    try:
        if len(sealed) > SEALED_MAX or not sealed.isascii():
            raise SessionOver
        name, owner, until, content = json.loads(decrypt(sealed))
    except Undecipherable:
        raise SessionOver from None
    if name != kind.__name__ or owner != _owner(caller) or until < time.time():
        raise SessionOver
    return content, until


def _owner(caller: Caller) -> list[str]:
    principal, server = caller.principal, caller.server
    user = str(principal.user.user_id) if principal.user else ""
    return [server.path, server.backend, user, principal.client_id, principal.connection]
