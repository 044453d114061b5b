"""Which public keys a client may be given, by value or by address (RFC 7591 section 2)."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from oauth_provider.outbound.fetch import AddressRefusedError, check_url
from oauth_provider.outbound.keys import BadKeysError, public_keys

MAX_JWKS = 20_000


def check_public_keys(*, method: str, jwks: str, jwks_uri: str) -> None:
    """Keys by value (a JWK Set as JSON) or by address, one of them when `method` needs keys, never both.

    Raises:
        ValidationError: by field.
    """
    if jwks and jwks_uri:
        raise ValidationError({"jwks_uri": _("Give the keys or their address, not both.")})
    if method and not jwks and not jwks_uri:
        raise ValidationError({"jwks": _("Give the public keys, or the address they are published at.")})
    if len(jwks) > MAX_JWKS:
        raise ValidationError({"jwks": _("These are too many keys.")})
    try:
        if jwks:
            public_keys(jwks)
        if jwks_uri:
            check_url(jwks_uri)
    except BadKeysError as fault:
        raise ValidationError({"jwks": str(fault.message)}) from fault
    except AddressRefusedError as fault:
        message = _("Use a complete https address on the public internet, without user name or #.")
        raise ValidationError({"jwks_uri": message}) from fault
