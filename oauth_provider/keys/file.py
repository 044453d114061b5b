"""A signing key the operator keeps in a file: taken over at start, whoever starts first."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ValidationError
from joserfc.jwk import ECKey

from oauth_provider.keys.models import SigningKey
from oauth_provider.keys.signing import create_signing_key, key_id, rotate_signing_key


def adopt_key_file(path: Path) -> None:
    """Sign with the key in `path`; a key that is known already changes nothing, one that is new rotates the old out.

    Raises:
        ValidationError: it cannot be read, or is no P-256 private key.
    """
    private = _read(path)
    if SigningKey.objects.filter(kid=key_id(ECKey.import_key(private))).exists():
        return
    if SigningKey.objects.exists():
        rotate_signing_key(private=private, reason="SIGNING_KEY_FILE")
    else:
        create_signing_key(private=private)


def _read(path: Path) -> ec.EllipticCurvePrivateKey:
    wanted = "openssl ecparam -name prime256v1 -genkey -noout -out signing_key.pem"
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise ValidationError(
            f"SIGNING_KEY_FILE: cannot be read as a PEM private key; make one with: {wanted}"
        ) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise ValidationError(f"SIGNING_KEY_FILE: must hold a P-256 key; make one with: {wanted}")
    return private
