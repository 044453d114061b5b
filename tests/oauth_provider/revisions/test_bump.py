"""Revisions move with the transaction of the change they announce."""

from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from oauth_provider.revisions.bump import bump, revision_bumped
from oauth_provider.revisions.read import read_all

pytestmark = pytest.mark.django_db


def test_each_bump_moves_only_its_own_revision() -> None:
    bump("catalogue")
    bump("catalogue")
    bump("revocation")
    assert read_all() == {"catalogue": 2, "revocation": 1}


def test_a_rolled_back_change_announces_nothing() -> None:
    with transaction.atomic():
        bump("revocation")
        transaction.set_rollback(True)
    assert read_all() == {}


def test_the_answering_worker_hears_of_it_after_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[tuple[str, int]] = []

    def listen(name: str, value: int, **_kwargs: Any) -> None:
        heard.append((name, value))

    revision_bumped.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            bump("revocation")
            assert heard == []
    finally:
        revision_bumped.disconnect(listen)
    assert heard == [("revocation", 1)]
