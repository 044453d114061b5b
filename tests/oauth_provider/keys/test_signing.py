"""Signing keys: made once, sealed at rest, published without their private half."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from oauth_provider.keys.encryption import Undecipherable, decrypt, encrypt
from oauth_provider.keys.models import SigningKey
from oauth_provider.keys.signing import create_signing_key, current_signing_key, jwks

pytestmark = pytest.mark.django_db


def test_the_first_call_makes_the_key_and_later_ones_keep_it() -> None:
    assert current_signing_key().kid == current_signing_key().kid
    assert SigningKey.objects.count() == 1


def test_the_newest_key_signs_and_all_are_published() -> None:
    old = current_signing_key().kid
    new = create_signing_key().kid
    assert current_signing_key().kid == new
    assert {key["kid"] for key in jwks()["keys"]} == {old, new}


def test_the_private_half_is_neither_published_nor_readable_at_rest() -> None:
    create_signing_key()
    assert all("d" not in key for key in jwks()["keys"])
    assert "PRIVATE KEY" not in SigningKey.objects.get().private_pem_encrypted


def test_a_rotated_encryption_key_still_opens_what_the_old_one_sealed(settings: Settings) -> None:
    sealed = encrypt(b"backend credential")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert decrypt(sealed) == b"backend credential"


def test_a_forgotten_encryption_key_is_an_error_of_its_own(settings: Settings) -> None:
    sealed = encrypt(b"backend credential")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(Undecipherable):
        decrypt(sealed)
