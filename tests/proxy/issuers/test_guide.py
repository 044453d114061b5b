"""The guide to external issuers says what the code does."""

import ast
import re
from pathlib import Path

import pytest

import proxy.issuers
from proxy.issuers.jwks import ALGORITHMS
from proxy.issuers.serializers import IssuerSerializer
from proxy.issuers.subject import MAPPED
from tests.architecture.tree import ROOT

GUIDE = (ROOT / "docs/guides/identity/external-issuers.md").read_text()


def table_after(words: str) -> set[str]:
    """The names in code type that the first cells of a table have."""
    rows = GUIDE.partition(words)[2].partition("\n\n")[2].partition("\n\n")[0].splitlines()
    assert rows
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}


def test_every_reason_is_explained() -> None:
    calls = [
        node
        for path in Path(proxy.issuers.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InvalidExternalToken"
    ]
    given = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert table_after("the audit log has the reason.") == given | {"wrong_audience"}


@pytest.mark.parametrize(
    ("words", "names"),
    [("## 1. Register the issuer", set(IssuerSerializer.Meta.fields)), ("`claims` maps these", set(MAPPED))],
)
def test_every_field_is_explained(words: str, names: set[str]) -> None:
    start = GUIDE.index(words)
    rows = GUIDE[start:].partition("\n|")[2].partition("\n\n")[0].splitlines()
    assert {row.split("`")[1] for row in rows if row.startswith("| `")} == names


def test_every_algorithm_is_named() -> None:
    assert all(f"`{name}`" in GUIDE for name in ALGORITHMS)
