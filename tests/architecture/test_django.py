"""What Django generates from the code, and must be generated again when the code changes."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib
import pytest
from django.core.management import call_command
from django.utils.translation.template import templatize

from tests.architecture.tree import ROOT, committed, modules, shown, syntax

CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
MARKERS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
# A call as `templatize` writes it: the message is the first text, or the second where the first is its context
TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(?P<marker>_|n?p?gettext)\((?P<first>{TEXT})(?:, (?P<second>{TEXT}))?", re.DOTALL)


@pytest.mark.django_db
def test_every_model_change_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("path", CATALOGUES, ids=shown)
def test_every_message_is_translated(path: Path) -> None:
    catalogue = polib.pofile(str(path))
    assert not [entry.msgid for entry in catalogue if not entry.obsolete and not entry.translated()]


@pytest.mark.parametrize("path", CATALOGUES, ids=shown)
def test_the_compiled_catalogue_is_in_step(path: Path) -> None:
    compiled = polib.mofile(str(path.with_suffix(".mo")))
    assert messages(compiled) == messages(entry for entry in polib.pofile(str(path)) if entry.translated())


@pytest.mark.parametrize("path", CATALOGUES, ids=shown)
def test_every_marked_string_is_in_the_catalogue(path: Path) -> None:
    known = {entry.msgid for entry in polib.pofile(str(path)) if not entry.obsolete}
    assert not {text: where for text, where in marked() if text not in known}


def messages(catalogue: Iterable[polib.POEntry | polib.MOEntry]) -> dict[tuple[str | None, str], object]:
    """What a catalogue says, by context and message."""
    return {
        (entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr
        for entry in catalogue
        if entry.msgstr or entry.msgstr_plural
    }


def marked() -> Iterator[tuple[str, str]]:
    """Every string marked for translation, and the file it stands in."""
    for path in modules():
        yield from ((text, shown(path)) for text in marked_in_code(path))
    for path in committed():
        if path.suffix in {".html", ".txt"} and "templates" in path.parts:
            yield from ((text, shown(path)) for text in marked_in_template(path))


def marked_in_code(path: Path) -> Iterator[str]:
    """The constants that gettext is called with."""
    for call in (node for node in ast.walk(syntax(path)) if isinstance(node, ast.Call)):
        marker = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        message = call.args["pgettext" in marker] if marker in MARKERS and call.args else None
        if isinstance(message, ast.Constant) and isinstance(message.value, str):
            yield message.value


def marked_in_template(path: Path) -> Iterator[str]:
    """The messages of a template's tags and filters, as makemessages finds them."""
    for call in CALL.finditer(templatize(path.read_text())):
        yield ast.literal_eval(call["second" if "p" in call["marker"] else "first"])
