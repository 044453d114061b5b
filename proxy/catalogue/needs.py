"""Which scopes an operation needs: all of one list and, where there is another list, any one of that."""

from collections.abc import Iterable, Sequence


def alternatives(scopes: Iterable[str], any_scopes: Iterable[str]) -> list[list[str]]:
    """Each list of scopes that is enough, in the order in which staff gave the choice."""
    needed = list(scopes)
    return [[*needed, chosen] for chosen in any_scopes] or [needed]


def in_words(scopes: Iterable[str], any_scopes: Iterable[Sequence[str]]) -> str:
    """Both in one text for the ledger: `a b c|d` is a, b, and c or d."""
    return " ".join([*scopes, *("|".join(choice) for choice in any_scopes if choice)])
