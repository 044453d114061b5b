"""demo.json: the demo's URLs and credentials, for its owner alone; only digests are in the database."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

Facts = dict[str, Any]


def facts_path() -> Path:
    """Where demo.json lies."""
    return Path(settings.DATA_DIR) / "demo.json"


def read_facts() -> Facts:
    """What the last run wrote; empty when there was none, or when the file was damaged."""
    try:
        facts = json.loads(facts_path().read_text())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def write_facts(facts: Facts) -> None:
    """Replace the file in one step; nobody but its owner may read it at any moment."""
    path = facts_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(json.dumps(facts, indent=1) + "\n")
    draft.replace(path)
