"""Every reason the data plane can record has words a person understands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

import audit.ledger.closing
import gateway_project
import oauth_provider.api_keys.verify
import oauth_provider.tokens.verify
import proxy.asgi
from audit.connected_apps.reasons import WORDS, reason_words
from proxy.entrypoints.mcp.errors import RpcError
from proxy.refusals import Refusal

PROXY = Path(proxy.__file__).parent
# What these record is about what a backend offers, not about a person's call
NO_CALLS = {*PROXY.joinpath("catalogue").rglob("*.py"), PROXY / "upstream" / "mcp" / "looking.py"}
GATEWAY = [
    *(path for path in PROXY.rglob("*.py") if path not in NO_CALLS),
    *Path(gateway_project.__file__).parent.glob("*.py"),
    Path(audit.ledger.closing.__file__),
    Path(oauth_provider.tokens.verify.__file__),
    Path(oauth_provider.api_keys.verify.__file__),
]
# Where a reason is given by position: to a credential that opens nothing, and to an answer that broke off
BY_POSITION = {"InvalidToken", "InvalidApiKey", "InvalidExternalToken", "_closed", "broken"}


def test_the_words_are_those_of_the_reasons_and_of_nothing_else() -> None:
    classes = {fault.reason for root in (Refusal, RpcError) for fault in family(root)}
    given = classes | {slug for path in GATEWAY for slug in reasons_in(path)}
    assert given - set(WORDS) == set(), "these have no words"
    assert set(WORDS) - given == set(), "these are never given"


@pytest.mark.parametrize("reason", ["insufficient_scope", "backend_timeout", "gone from the code"])
def test_the_words_are_in_the_readers_language(reason: str) -> None:
    with translation.override("pt-br"):
        portuguese = reason_words(reason)
    with translation.override("en"):
        assert reason_words(reason) != portuguese


def test_an_old_reason_has_words_as_well() -> None:
    assert reason_words("gone from the code") == "for another reason"


def family(fault: type[Refusal] | type[RpcError]) -> Iterator[type[Refusal] | type[RpcError]]:
    """The class and all below it."""
    yield fault
    for child in fault.__subclasses__():
        yield from family(child)


def reasons_in(path: Path) -> Iterator[str]:
    """Every text that a call gives as its reason."""
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        if name in BY_POSITION:
            given += call.args
        for value in given:
            parts = (part.value for part in ast.walk(value) if isinstance(part, ast.Constant))
            yield from (part for part in parts if isinstance(part, str) and part)
