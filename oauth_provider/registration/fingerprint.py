"""What tells programs apart, however often each of them registers."""

import hashlib
import json
import re

from oauth_provider.registration.metadata import Metadata

_LOOPBACK_PORT = re.compile(r"\A(http://(?:127\.0\.0\.1|\[::1\]|localhost)):[0-9]{1,5}(?=[/?]|\Z)")


def fingerprint_of(metadata: Metadata, *, address: str = "") -> str:
    """Hex SHA-256 of the name, where it returns to, how it proves itself, its home page and its software id.

    With the `address` of the document that says so: whoever copies a document is another program. Without the port of a
    loopback address, which is another one at every start (RFC 8252 section 7.3), and without the version: an update
    does not make another program.
    """
    facts = {
        "name": metadata.name.casefold(),
        "redirect_uris": sorted({_LOOPBACK_PORT.sub(r"\1", uri) for uri in metadata.redirect_uris}),
        "auth_method": metadata.auth_method,
        "client_uri": metadata.links.get("client_uri", ""),
        "software_id": metadata.software_id,
        **({"client_id": address} if address else {}),
    }
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
