"""The rows, one module a section; importing them fills the table in its order."""

from tests.attacks.rows import (  # noqa: F401 - imported for what they register
    assertions,
    authorization_endpoint,
    codes,
    consent,
    discovery,
    documents,
    people,
    refresh,
    registration,
    resources,
    revocation,
    token_endpoint,
)
