"""A signing key of the operator's own: taken over once, rotated in later, refused when it is none."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.core.exceptions import ValidationError
from joserfc.jwk import ECKey

from oauth_provider.keys.file import adopt_key_file
from oauth_provider.keys.models import SigningKey
from oauth_provider.keys.signing import current_signing_key, jwks, key_id

pytestmark = pytest.mark.django_db


def written(path: Path, key: PrivateKeyTypes) -> Path:
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_the_first_key_signs_at_once_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    key = p256()
    path = written(tmp_path / "key.pem", key)
    adopt_key_file(path)
    adopt_key_file(path)
    assert SigningKey.objects.count() == 1
    assert current_signing_key().kid == key_id(ECKey.import_key(key))
    assert current_signing_key().private.private_numbers() == key.private_numbers()


def test_a_new_key_in_the_file_is_published_before_it_signs(tmp_path: Path) -> None:
    adopt_key_file(written(tmp_path / "key.pem", p256()))
    old = current_signing_key().kid
    new = p256()
    adopt_key_file(written(tmp_path / "key.pem", new))
    assert [key["kid"] for key in jwks()["keys"]] == [key_id(ECKey.import_key(new)), old]
    assert current_signing_key().kid == old


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_a_key_of_another_kind_is_refused_with_what_to_do(tmp_path: Path, key: PrivateKeyTypes) -> None:
    with pytest.raises(ValidationError, match="must hold a P-256 key; make one with: openssl"):
        adopt_key_file(written(tmp_path / "key.pem", key))


def test_a_file_that_cannot_be_read_is_refused_by_the_variables_name(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("nothing")
    for path in (tmp_path / "key.pem", tmp_path / "missing.pem"):
        with pytest.raises(ValidationError, match="SIGNING_KEY_FILE"):
            adopt_key_file(path)
    assert not SigningKey.objects.exists()
