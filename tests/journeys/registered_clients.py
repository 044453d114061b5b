"""The registrations that known clients really send, frozen; each file says where it was seen and when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = sorted((Path(__file__).parents[1] / "oauth_provider" / "registration" / "clients").glob("*.json"))


@dataclass(frozen=True)
class Frozen:
    """`returns_to` are the redirect URIs it really uses, `registered` what it must be told it got."""

    name: str
    source: str
    date: str
    body: Mapping[str, Any]
    returns_to: tuple[str, ...]
    authorize: Mapping[str, str]
    registered: Mapping[str, Any]


def frozen(path: Path) -> Frozen:
    """The client that `path` describes."""
    found = json.loads(path.read_text())
    return Frozen(
        name=path.stem,
        source=found["source"],
        date=found["date"],
        body=found["body"],
        returns_to=tuple(found["returns_to"]),
        authorize=found["authorize"],
        registered=found.get("registered", {}),
    )


CLIENTS = [frozen(path) for path in FILES]
