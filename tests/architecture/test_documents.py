"""Documents that must match the code."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands

from gateway_project.environment import SERVICE_URL, Environment
from tests.architecture.tree import ROOT, committed, shown

DOCUMENTS = [path for path in committed() if path.suffix == ".md"]
# A row of a table: a name in code type, and the cell after it
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<next>.+?) \|", re.MULTILINE)
PINNED = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==", re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
# What a default that is no constant is called
COMPUTED = {
    "PUBLIC_BASE_URL": "`http://$HOST:$PORT`",
    "SECRET_KEY": "generated",
    "ENCRYPTION_KEYS": "generated",
    "DATABASE_URL": "SQLite in `DATA_DIR`",
    "AUDIT_DATABASE_URL": "as `DATABASE_URL`",
    "SIGN_IN_NAME": "the issuer's host",
}


def written(default: Any) -> str:
    """A default of `environment.py` as the document writes it."""
    if default is None or default in ("", [], {}):
        return "none"
    value = ",".join(default) if isinstance(default, list) else str(default)
    return f"`{value.lower() if isinstance(default, bool) else value}`"


def test_the_environment_is_documented_as_it_is_read() -> None:
    document = (ROOT / "docs/reference/environment.md").read_text()
    documented = {row["name"]: row["next"] for row in ROW.finditer(document)}
    read = {name: COMPUTED.get(name, written(field.default)) for name, field in Environment.model_fields.items()}
    # One variable per backend: the field gathers them
    read[f"<NAME>{SERVICE_URL}"] = read.pop("SERVICE_URLS")
    assert documented == read


def test_every_direct_dependency_is_explained() -> None:
    document = (ROOT / "docs/dependencies.md").read_text()
    asked = {
        name for part in ("base", "dev") for name in PINNED.findall((ROOT / f"requirements/{part}.in").read_text())
    }
    assert {row["name"] for row in ROW.finditer(document)} == asked


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(document.read_text())]
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert not [target for target in local if not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_command_exists(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text, re.MULTILINE)) <= set(targets)
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= get_commands().keys()


def test_the_commands_of_the_contract_exist() -> None:
    assert {
        "bootstrap_client",
        "check_backends",
        "cleanup_tokens",
        "create_client",
        "demo",
        "import_openapi",
    } <= get_commands().keys()
