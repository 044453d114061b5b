"""Whether the words of a tool help a model to choose it: told to staff, never a reason to refuse.

A model has nothing but title and description to go by. What is too short, too long or about HTTP says little; what
gives orders is obeyed by some models, whoever wrote it, and refused by the stores that list servers.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from proxy.catalogue.models import Operation

TITLE_MAX: Final = 64
DESCRIPTION_MIN, DESCRIPTION_MAX = 20, 1024
_HTTP: Final = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE)\b\s+/|\bHTTP\b(?!S?://)|\b[Ee]ndpoints?\b|\bREST\b")
# Orders to the model, in the languages that staff write in
_ORDERS: Final = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override|desconsidere|esqueça)\b.{0,30}
        \b(?:previous|prior|above|earlier|other|system|anterior(?:es)?|acima|outr[ao]s?|sistema)\b
    | \b(?:you|the\s+(?:model|assistant|agent|ai)|você|o\s+(?:modelo|assistente|agente))\s+
        (?:must|should|shall|have\s+to|has\s+to|need\s+to|will\s+always|deve|precisa|tem\s+(?:que|de))\b
    | \b(?:always|never|sempre|nunca)\s+(?:call|use|invoke|run|prefer|chame|use|execute|prefira)\b
    | \b(?:do\s+not|don't|never|não)\s+(?:tell|mention|reveal|inform|show|conte|mencione|revele|informe|mostre)\b
    | \b(?:system\s+prompt|prompt\s+do\s+sistema)\b
    | </?\s*(?:system|important|instructions?|assistant|user)\s*/?>
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# They join letters and emoji; every other character that cannot be seen hides something
_JOINERS: Final = "\u200c\u200d"


def warnings_of(operation: Operation) -> list[str]:
    """What staff should reconsider of an operation's title and description; nothing if it is no tool."""
    return [*_of_title(operation), *_of_description(operation), *_of_both(operation)] if operation.tool_name else []


def _of_title(operation: Operation) -> Iterator[str]:
    if len(operation.title) > TITLE_MAX:
        yield _("The title is longer than %(number)d characters: clients cut it.") % {"number": TITLE_MAX}


def _of_description(operation: Operation) -> Iterator[str]:
    text = operation.description.strip()
    if not text:
        yield _("There is no description: say what the tool does, what it needs and what it changes.")
    elif _plain(text) in {_plain(operation.operation_id), _plain(operation.tool_name or ""), _plain(operation.title)}:
        yield _("The description only repeats the name: say what the tool does, what it needs and what it changes.")
    elif len(text) < DESCRIPTION_MIN:
        words = _("The description has less than %(number)d characters: say what the tool does and when to use it.")
        yield words % {"number": DESCRIPTION_MIN}
    elif len(text) > DESCRIPTION_MAX:
        words = _("The description is longer than %(number)d characters: some clients cut it or leave the tool out.")
        yield words % {"number": DESCRIPTION_MAX}


def _of_both(operation: Operation) -> Iterator[str]:
    text = f"{operation.title}\n{operation.description}"
    if found := _HTTP.search(text):
        yield _("“%(words)s” is about HTTP: a model calls tools and knows no paths.") % {"words": found[0].strip()}
    if found := _ORDERS.search(text):
        words = _("“%(words)s” gives the model an order: say what the tool does, not what the model must do.")
        yield words % {"words": " ".join(found[0].split())}
    if any(unicodedata.category(each) in {"Cf", "Co"} and each not in _JOINERS for each in text):
        yield _("It has characters that nobody sees: a model reads them all the same.")


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
