"""The rows bite, and the document of results is of these rows."""

import pytest

import tests.attacks.gateway.rows  # noqa: F401 - fills the table
from tests.attacks.gateway.document import DOCUMENT
from tests.attacks.gateway.field import Field
from tests.attacks.gateway.table import LEFT_OUT, ROWS, Row

# Those that wait for deadlines are in the document alone
BITING = [pytest.param(row.server, row, id=row.id) for row in ROWS.values() if not row.spares and not row.slow]


def test_the_document_has_these_rows_and_their_words() -> None:
    table = [line.strip("| \n").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    found = {cells[0]: cells for cells in table[1:]}
    assert list(found) == list(ROWS)
    for row in ROWS.values():
        assert found[row.id][:5] == [row.id, row.what, str(len(row.cases)), row.expected, "met"]
        assert (found[row.id][5] == "met") == bool(row.spares)
    assert all(f"{name}" in DOCUMENT.read_text() for name in LEFT_OUT)


@pytest.mark.services
@pytest.mark.parametrize(("naive_field", "row"), BITING, indirect=["naive_field"])
def test_a_naive_proxy_fails_it(naive_field: Field, row: Row) -> None:
    assert row.bites(naive_field)
