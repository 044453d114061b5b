"""Characters that a person does not see and a model reads: nothing of a backend may contain them."""

import re
import unicodedata
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Unseen by their category: formats (bidi, tags, zero widths), private use, unassigned, half of a pair
_UNSEEN: Final = frozenset({"Cf", "Co", "Cn", "Cs"})
# Joiners make emoji and words of many scripts
_JOINERS: Final = frozenset("\u200c\u200d")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
# Variation selectors but the two that say text or emoji: 256 of them spell any byte
_SELECTORS: Final = re.compile("[\ufe00-\ufe0d\U000e0100-\U000e01ef]")


def has_hidden(text: str) -> bool:
    """Whether `text` has a control character or one that nobody sees (Unicode TR 36, UTS 39)."""
    if _CONTROL.search(text):
        return True
    if text.isascii():
        return False
    return bool(_SELECTORS.search(text)) or any(map(_is_unseen, text))


def without_hidden(text: str) -> str:
    """`text` with a question mark for each of them, so that a page can show it."""
    return "".join("\ufffd" if _CONTROL.match(each) or _SELECTORS.match(each) or _is_unseen(each) else each
                   for each in text)  # fmt: skip


def _is_unseen(character: str) -> bool:
    if character in _JOINERS or character.isascii():
        return False
    return character in _FILLERS or unicodedata.category(character) in _UNSEEN
