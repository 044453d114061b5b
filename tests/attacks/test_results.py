"""The document of results says what a run finds today."""

from pathlib import Path

import pytest

import tests.attacks.rows  # noqa: F401 - fills the table
from tests.attacks.__main__ import observe
from tests.attacks.document import DOCUMENT, OURS, STOCK, column, render
from tests.attacks.servers import stock
from tests.attacks.table import LEFT_OUT, ROWS


def test_our_column_says_what_the_tests_of_the_rows_assert() -> None:
    assert column(OURS) == dict.fromkeys(ROWS, "met")


def test_its_words_are_the_table_s() -> None:
    assert render(column(OURS), column(STOCK)) == DOCUMENT.read_text()


def test_no_row_is_both_there_and_left_out() -> None:
    assert not ROWS.keys() & LEFT_OUT.keys()


@pytest.mark.services
def test_the_stock_column_says_what_a_stock_project_does(tmp_path: Path) -> None:
    # Minutes of a slow hash would change no answer
    with stock(tmp_path, hasher="django.contrib.auth.hashers.MD5PasswordHasher") as target:
        found = observe(target)
    # How a race ends differs from run to run, that it ends badly does not
    assert {row: verdict == "met" for row, verdict in found.items()} == {
        row: verdict == "met" for row, verdict in column(STOCK).items()
    }
