"""Two workers that move a revision at the same moment move it twice, the very first time as well."""

import pytest

from oauth_provider.revisions.bump import bump
from oauth_provider.revisions.read import read_all
from tests.at_once import at_once


@pytest.mark.django_db(transaction=True)
def test_no_bump_is_lost() -> None:
    at_once([lambda: bump("revocation")] * 8)
    assert read_all() == {"revocation": 8}
