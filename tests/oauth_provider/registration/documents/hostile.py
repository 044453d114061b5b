"""Documents that nobody honest publishes, by what is wrong with them."""

import json
from typing import Any

from joserfc.jwk import OctKey

from tests.assertions import made_key
from tests.oauth_provider.registration.documents.world import URL, document

PRIVATE = dict(made_key("ES256", "1", "client").as_dict(private=True))
PUBLIC = dict(made_key("ES256", "1", "client").as_dict(private=False))
SHARED = dict(OctKey.generate_key(256).as_dict(private=True))

Content = dict[str, Any] | bytes


def text(**changes: Any) -> bytes:
    """A document as bytes."""
    return json.dumps(document(**changes)).encode()


def with_keys(**changes: Any) -> dict[str, Any]:
    """A document of a client that only signs."""
    return document(**({"token_endpoint_auth_method": "private_key_jwt"} | changes))


NOT_JSON: dict[str, Content] = {
    "nothing": b"",
    "blanks": b"   ",
    "a web page": b"<!doctype html><title>x</title>",
    "half an object": text()[:-1],
    "two objects": text() + text(),
    "a list": b"[" + text() + b"]",
    "a text": b'"client"',
    "a number": b"42",
    "null": b"null",
    "a byte order mark": b"\xef\xbb\xbf" + text(),
    "UTF-16": text().decode().encode("utf-16"),
    "Latin-1": '{"client_name": "é"}'.encode("latin-1"),
    "not a number": b'{"client_id": NaN}',
    "infinity": b'{"client_id": Infinity}',
    "deep lists": b'{"a":' + b"[" * 8000 + b"]" * 8000 + b"}"[:1],
    "deep objects": b'{"a":' * 2700,
    "a name twice": b'{"client_id": "https://evil.example/x", ' + text()[1:],
    "a name twice inside": text()[:-1] + b', "jwks": {"keys": [], "keys": []}}',
    "single quotes": text().replace(b'"', b"'"),
    "a trailing comma": text()[:-1] + b",}",
    "a comment": b"/* x */" + text(),
    "a NUL byte": text().replace(b"Example", b"Exa\x00mple"),
    "a control character": text().replace(b"Example", b"Exa\nmple"),
    "a huge number": b'{"a": ' + b"9" * 5000 + b"}",
    "many fields": json.dumps(document(**{f"x{number}": 1 for number in range(120)})).encode(),
}
HUGE: dict[str, Content] = {
    "a long name": document(client_name="x" * 20_000),
    "thousands of addresses": document(redirect_uris=[f"https://app.example/{number}" for number in range(2000)]),
    "megabytes": b" " * 5_000_000,
}
OTHER_CLIENT: dict[str, Content] = {
    "no client_id": document(client_id=None),
    "another client_id": document(client_id="https://evil.example/client.json"),
    "another case": document(client_id=URL.replace("app", "APP")),
    "another path": document(client_id=URL + "/"),
    "a query more": document(client_id=URL + "?x=1"),
    "a fragment more": document(client_id=URL + "#x"),
    "a port more": document(client_id=URL.replace("example/", "example:443/")),
    "http": document(client_id=URL.replace("https", "http")),
    "a list of ids": document(client_id=[URL]),
    "a number as id": document(client_id=7),
    "null as id": document(client_id=None) | {"client_id": None},
    "a homograph": document(client_id=URL.replace("app", "\u0430pp")),
    "a NUL at the end": document(client_id=URL + "\x00"),
}
SECRETS: dict[str, Content] = {
    "a secret": document(client_secret="hunter2"),
    "a secret that is a number": document(client_secret=5),
    "when a secret ends": document(client_secret_expires_at=0),
    "basic": document(token_endpoint_auth_method="client_secret_basic"),
    "post": document(token_endpoint_auth_method="client_secret_post"),
    "a shared key": document(token_endpoint_auth_method="client_secret_jwt"),
}
METHODS: dict[str, Content] = {
    "a certificate": document(token_endpoint_auth_method="tls_client_auth"),
    "an unknown method": document(token_endpoint_auth_method="magic"),
    "a list as method": document(token_endpoint_auth_method=["none"]),
    "a number as method": document(token_endpoint_auth_method=1),
    "an object as methods": document(token_endpoint_auth_methods_supported={"none": 1}),
    "a text as methods": document(token_endpoint_auth_methods_supported="none"),
    "no method": document(token_endpoint_auth_methods_supported=[]),
    "only secrets": document(token_endpoint_auth_methods_supported=["client_secret_basic"]),
    "hundreds of methods": document(token_endpoint_auth_methods_supported=["none"] * 300),
    "a weak algorithm": with_keys(jwks={"keys": [PUBLIC]}, token_endpoint_auth_signing_alg="HS256"),
    "no algorithm": with_keys(jwks={"keys": [PUBLIC]}, token_endpoint_auth_signing_alg="none"),
    "a list as algorithm": with_keys(jwks={"keys": [PUBLIC]}, token_endpoint_auth_signing_alg=["RS256"]),
}
KEYS: dict[str, Content] = {
    "no keys": with_keys(),
    "an empty set": with_keys(jwks={"keys": []}),
    "no set": with_keys(jwks=[PUBLIC]),
    "a text": with_keys(jwks="keys"),
    "a key alone": with_keys(jwks=PUBLIC),
    "a private key": with_keys(jwks={"keys": [PRIVATE]}),
    "a private key beside a public one": with_keys(jwks={"keys": [PUBLIC, PRIVATE]}),
    "a shared key": with_keys(jwks={"keys": [SHARED]}),
    "a bad point": with_keys(jwks={"keys": [PUBLIC | {"x": "AA"}]}),
    "keys and an address": with_keys(jwks={"keys": [PUBLIC]}, jwks_uri="https://app.example/jwks.json"),
    "an address inside": with_keys(jwks_uri="https://127.0.0.1/jwks.json"),
    "an address of instance metadata": with_keys(jwks_uri="https://169.254.169.254/jwks.json"),
    "a plain address": with_keys(jwks_uri="http://app.example/jwks.json"),
    "a file": with_keys(jwks_uri="file:///etc/passwd"),
    "a user name": with_keys(jwks_uri="https://user@app.example/jwks.json"),
    "a number as host": with_keys(jwks_uri="https://2130706433/jwks.json"),
    "another protocol's port": with_keys(jwks_uri="https://app.example:6379/"),
    "a list of addresses": with_keys(jwks_uri=["https://app.example/jwks.json"]),
}
NAMES: dict[str, Content] = {
    "no name": document(client_name=None),
    "an empty name": document(client_name=""),
    "a blank name": document(client_name="   "),
    "an invisible name": document(client_name="\u200b\u200d"),
    "a list as name": document(client_name=["x"]),
    "a number as name": document(client_name=5),
    "a NUL in the name": document(client_name="a\x00b"),
    "a bell in the name": document(client_name="a\x07b"),
    "half a character": document(client_name="\ud800"),
    "Cyrillic that poses": document(client_name="\u0421hatGPT"),
    "Greek that poses": document(client_name="\u0391pple"),
    "a pile of accents": document(client_name="Z" + "\u0301" * 40),
    "a name of 101 letters": document(client_name="x" * 101),
}
ADDRESSES: dict[str, Content] = {
    "no addresses": document(redirect_uris=None),
    "an empty list": document(redirect_uris=[]),
    "a text": document(redirect_uris="https://app.example/callback"),
    "numbers": document(redirect_uris=[1, 2]),
    "nested lists": document(redirect_uris=[["https://app.example/callback"]]),
    "21 addresses": document(redirect_uris=[f"https://app.example/{number}" for number in range(21)]),
    "plain http": document(redirect_uris=["http://app.example/callback"]),
    "JavaScript": document(redirect_uris=["javascript:alert(1)"]),
    "data": document(redirect_uris=["data:text/html,x"]),
    "a wildcard": document(redirect_uris=["https://*.app.example/callback"]),
    "a fragment": document(redirect_uris=["https://app.example/callback#x"]),
    "a user name": document(redirect_uris=["https://app.example@evil.example/"]),
    "a backslash": document(redirect_uris=["https://app.example\\@evil.example/"]),
    "a NUL": document(redirect_uris=["https://app.example/\x00"]),
    "a blank": document(redirect_uris=["https://app.example/a b"]),
    "a homograph": document(redirect_uris=["https://\u0430pp.example/callback"]),
    "a numeric host": document(redirect_uris=["https://2130706433/callback"]),
    "no host": document(redirect_uris=["https:///callback"]),
    "an intent with an authority": document(redirect_uris=["intent://evil.example/#Intent;scheme=https;end"]),
    "Microsoft's own": document(redirect_uris=["ms-msdt:/id"]),
    "an endless address": document(redirect_uris=["https://app.example/" + "x" * 2001]),
}
FIELDS: dict[str, Content] = {
    "only other grants": document(grant_types=["client_credentials"]),
    "a text as grants": document(grant_types="authorization_code"),
    "only other responses": document(response_types=["token"]),
    "a list as scope": document(scope=["tool:read"]),
    "an endless scope": document(scope="x" * 4001),
    "a logo that is a script": document(logo_uri="javascript:alert(1)"),
    "a logo that is a picture": document(logo_uri="data:image/svg+xml,<svg onload=alert(1)>"),
    "a list as home page": document(client_uri=["https://app.example"]),
    "a home page with markup": document(client_uri='https://app.example/"><script>'),
    "a strange type": document(application_type="toaster"),
}
ALL: dict[str, Content] = {
    f"{group}: {name}": content
    for group, contents in {
        "json": NOT_JSON,
        "size": HUGE,
        "client": OTHER_CLIENT,
        "secret": SECRETS,
        "method": METHODS,
        "keys": KEYS,
        "name": NAMES,
        "address": ADDRESSES,
        "field": FIELDS,
    }.items()
    for name, content in contents.items()
}
