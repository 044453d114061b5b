"""What every walk through the demo is made of: steps, and the word that one of them did not go as it must."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class WalkEnded(Exception):
    """A step did not go as the client needs it; the message says which and how."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was done: who does it in life, how clients differ in it ("": they do not), and what came of it."""

    title: str
    in_life: str
    lines: list[str]
    differences: str = ""


def expect(answer: httpx.Response, status: int, what: str) -> httpx.Response:
    """The answer, if it has that status.

    Raises:
        WalkEnded: it has another one.
    """
    if answer.status_code != status:
        raise WalkEnded(f"{what} was answered {answer.status_code} in place of {status}: {answer.text[:300]}")
    return answer


def received(tokens: Mapping[str, Any]) -> str:
    """One line about an answer of the token endpoint, without what it must not show."""
    return f"200 {tokens['token_type']}, {tokens['expires_in']} s, scope {tokens['scope']}"


def positions(found: Mapping[str, Any]) -> str:
    """One line about what a search for jobs brought."""
    titles = ", ".join(job["title"] for job in found["jobs"][:3])
    return f"200 {found['total']} of {found['open_positions']} positions: {titles}"
