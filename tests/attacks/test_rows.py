"""Every row of the table against the really started gateway."""

import pytest

import tests.attacks.rows  # noqa: F401 - fills the table
from tests.attacks.table import ROWS, Row
from tests.attacks.target import Target


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(target: Target, row: Row) -> None:
    row.attack(target.from_address(list(ROWS).index(row.id)))
