"""What every walk through the demo is made of: steps, and the word that one of them did not go as it must."""

from dataclasses import dataclass

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
