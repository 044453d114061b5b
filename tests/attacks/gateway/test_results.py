"""The rows bite, and the document of results is of these rows."""

import pytest

import tests.attacks.gateway.rows  # noqa: F401 - fills the table
from tests.attacks.gateway.document import DOCUMENT
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.table import LEFT_OUT, ROWS, Row

BITING = [row for row in ROWS.values() if row.bites]


def test_the_document_has_these_rows_and_their_words() -> None:
    table = [line.strip("| \n").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    found = {cells[0].removesuffix(" (bites)"): cells for cells in table[1:]}
    assert list(found) == list(ROWS)
    for row in ROWS.values():
        mark = f"{row.id} (bites)" if row.bites else row.id
        assert found[row.id][:5] == [mark, row.what, str(len(row.cases)), row.expected, "met"]
        assert not row.bites or found[row.id][5] != "met"
    assert all(f"{name}" in DOCUMENT.read_text() for name in LEFT_OUT)


@pytest.mark.services
@pytest.mark.parametrize("row", BITING, ids=[row.id for row in BITING])
def test_a_naive_proxy_fails_it(naive_field: Field, row: Row) -> None:
    assert row.observe(naive_field)
