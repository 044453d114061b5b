"""Every case of every row against the really started gateway."""

from typing import Any

import pytest

import tests.attacks.gateway.rows  # noqa: F401 - fills the table
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.table import ROWS, Row

CASES = [
    pytest.param(row, case, id=f"{row.id}-{name}", marks=[pytest.mark.services] if row.slow else [])
    for row in ROWS.values()
    for name, case in row.cases.items()
]


@pytest.mark.parametrize(("row", "case"), CASES)
def test_row(field: Field, row: Row, case: Any) -> None:
    row.attack(field, case)
