"""What one token request came to, for the ledger and for what a refusal leaves behind."""

from dataclasses import dataclass
from uuid import UUID

from audit.ledger.events import UserRef


@dataclass(slots=True)
class Outcome:
    """What one token request came to."""

    reason: str = ""
    client_id: str = ""
    user: UserRef | None = None
    connection: str = ""
    audience: str = ""
    scopes: str = ""
    token: str = ""
    target: str = ""
    # The clients an exchanged token went through, the first one first
    clients: str = ""
    repeated: bool = False
    # A device that has to ask again: nothing to undo
    is_waiting: bool = False
    replayed: bool = False
    family_id: UUID | None = None
