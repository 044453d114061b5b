"""The versions of a document as a person compares them: line by line, with signs and not only colours."""

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from oauth_provider.registration.documents.models import DocumentVersion, MetadataDocument
from oauth_provider.registration.documents.pinned import pinned_copy


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document; `kind` is added, removed or same."""

    kind: str
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A version and what it changed; `taken_at` is None for the copy that came with this server."""

    digest: str
    source: str
    taken_at: datetime | None
    lines: tuple[Line, ...]


def history(document: MetadataDocument) -> list[Shown]:
    """Newest first, each against the one before; last the copy that came with this server, against what is in force."""
    versions = list(document.versions.all())
    before: list[DocumentVersion | None] = [*versions[1:], None]
    shown = [
        Shown(
            digest=version.digest,
            source=version.get_source_display(),
            taken_at=version.taken_at,
            lines=tuple(_lines(older.content if older else "", version.content)),
        )
        for version, older in zip(versions, before, strict=True)
    ]
    pinned = pinned_copy(document.client.client_id)
    if pinned is not None and versions and pinned.digest != versions[0].digest:
        lines = tuple(_lines(pinned.content, versions[0].content))
        shown.append(Shown(digest=pinned.digest, source="", taken_at=None, lines=lines))
    return shown


def _lines(older: str, newer: str) -> Iterator[Line]:
    kinds = {"+": "added", "-": "removed", " ": "same"}
    for line in difflib.ndiff(_pretty(older), _pretty(newer)):
        if line[0] in kinds:
            yield Line(kinds[line[0]], line[0].replace("-", "−"), line[2:])  # noqa: RUF001 - a minus, as wide as a plus


def _pretty(content: str) -> list[str]:
    # Only ASCII, as it is kept: what poses as something else is seen for what it is
    return json.dumps(json.loads(content), indent=2, sort_keys=True).splitlines() if content else []
