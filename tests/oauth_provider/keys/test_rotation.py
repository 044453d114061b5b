"""Rotation: the next key is known before it signs, the last one verifies until what it signed is over."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from audit.ledger.models import Event
from oauth_provider.keys.models import SigningKey
from oauth_provider.keys.signing import OVERLAP, SIGNED_FOR, current_signing_key, jwks, rotate_signing_key, signing_keys
from oauth_provider.revisions.read import read_all
from proxy.catalogue.snapshot import build

pytestmark = pytest.mark.django_db


def published() -> list[str]:
    return [key["kid"] for key in jwks()["keys"]]


def later(by: timedelta) -> None:
    """Let time pass, by moving every key into the past."""
    SigningKey.objects.update(signs_from=F("signs_from") - by, published_until=F("published_until") - by)


def test_the_next_key_is_published_before_it_signs() -> None:
    old = current_signing_key().kid
    new = rotate_signing_key().kid
    assert published() == [new, old]
    assert current_signing_key().kid == old


def test_the_next_key_signs_when_verifiers_have_had_time_to_fetch_it() -> None:
    old = current_signing_key().kid
    new = rotate_signing_key().kid
    later(OVERLAP)
    assert current_signing_key().kid == new
    assert published() == [new, old]


def test_the_old_key_verifies_until_the_last_thing_it_signed_is_over() -> None:
    current_signing_key()
    new = rotate_signing_key().kid
    later(OVERLAP + SIGNED_FOR)
    assert published() == [new]


def test_a_second_rotation_before_the_first_is_in_force_leaves_one_key_that_signs() -> None:
    old = current_signing_key().kid
    first, second = rotate_signing_key().kid, rotate_signing_key().kid
    assert [key.kid for key in signing_keys()] == [second, first, old]
    later(OVERLAP)
    assert current_signing_key().kid == second


def test_a_compromised_key_verifies_nothing_any_more() -> None:
    current_signing_key()
    new = rotate_signing_key(compromised=True).kid
    assert published() == [new]
    assert current_signing_key().kid == new


def test_the_catalogue_holds_the_next_key_and_signs_with_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    old = current_signing_key().kid
    new = rotate_signing_key()
    snapshot = build(revision=1)
    assert snapshot.signing_key is not None
    assert snapshot.signing_key.kid == old
    monkeypatch.setattr("proxy.catalogue.snapshot.time.time", new.signs_from.timestamp)
    assert snapshot.signing_key is not None
    assert snapshot.signing_key.kid == new.kid


def test_every_worker_hears_of_it() -> None:
    current_signing_key()
    before = read_all()["catalogue"]
    rotate_signing_key()
    assert read_all()["catalogue"] > before


def test_the_command_says_from_when_the_new_key_signs_and_keeps_the_reason() -> None:
    out = StringIO()
    current_signing_key()
    call_command("rotate_signing_key", "--json", "--reason", "yearly", stdout=out)
    answer = json.loads(out.getvalue())
    key = SigningKey.objects.get(kid=answer["kid"])
    assert key.signs_from > timezone.now()
    event = Event.objects.get(kind="system:key:rotated")
    assert (event.target, event.note) == (f"signing_key:{key.kid}", "yearly")
