"""Names that clients give themselves, made safe to read: no hidden characters, no letters that pose as others.

Markup in a name is only text: every page escapes it.
"""

import re
import unicodedata

from oauth_provider.registration.errors import InvalidMetadataError

MAX_NAME = 100
# Accents that may stand on one letter
MAX_MARKS = 2
# Letters of other alphabets that are drawn like Latin ones (Unicode TR 39, the part that spells product names)
LOOKALIKES = frozenset("АВЕЅІЈКМНОРСТУХҮԚԜавеѕіјкмһорстухүԛԝѵґьɡӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχϲϳԁԍղոսօքհցյզ")
_MIXED_WITH_LATIN = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET"})
_SPACES = re.compile(r"\s+")


def safe_name(value: object) -> str:
    """The name as it is kept and shown.

    Directional and zero-width characters, emblems and surplus spaces are taken out, wide and decorated letters become
    plain ones (Unicode normalisation form KC).

    Raises:
        InvalidMetadataError: no text, control characters, too long, or letters of several alphabets that pose as one.
    """
    if not isinstance(value, str):
        raise InvalidMetadataError("wrong_type", "client_name must be a text.")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in value if character != "\t"):
        raise InvalidMetadataError("name_characters", "client_name holds a control character.")
    text = "".join(c for c in unicodedata.normalize("NFKC", value) if unicodedata.category(c) not in {"Cf", "So", "Sk"})
    text = _SPACES.sub(" ", text).strip()
    if len(text) > MAX_NAME:
        raise InvalidMetadataError("name_length", f"client_name has more than {MAX_NAME} characters.")
    if _piles_up_marks(text):
        raise InvalidMetadataError("name_characters", "client_name piles up accents.")
    if _poses(text):
        raise InvalidMetadataError("name_lookalike", "client_name is written with letters that pose as Latin ones.")
    return text


def _piles_up_marks(text: str) -> bool:
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character).startswith("M") else 0
        if run > MAX_MARKS:
            return True
    return False


def _poses(text: str) -> bool:
    """Whether one word mixes alphabets, or spells a Latin word with letters of another."""
    for word in re.findall(r"[^\W\d_]+", text):
        foreign = [c for c in word if _alphabet(c) in _MIXED_WITH_LATIN]
        if foreign and (len(foreign) < len(word) or all(c in LOOKALIKES for c in foreign)):
            return True
    return False


def _alphabet(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]
