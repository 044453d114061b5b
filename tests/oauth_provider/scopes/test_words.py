"""A scope speaks the reader's language, or its own."""

import pytest

from oauth_provider.scopes.models import Scope

SCOPE = Scope(
    name="jobs:read",
    title="Search jobs",
    translations={"pt-br": {"title": "Buscar vagas"}, "de": {"title": "Stellen suchen"}},
)


@pytest.mark.parametrize(
    ("language", "title"),
    [("pt-br", "Buscar vagas"), ("de-at", "Stellen suchen"), ("fr", "Search jobs"), ("en", "Search jobs")],
)
def test_words_follow_the_language_with_a_fallback(language: str, title: str) -> None:
    assert SCOPE.words("title", language) == title
