"""Tokens on their way to the client: the raw values exist only here and in the answer."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and, where there is one, the refresh token beside it ("" without)."""

    access_token: str
    refresh_token: str
    scope: str
    expires_at: datetime
