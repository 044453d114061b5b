"""What was stored before a migration means the same after."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from oauth_provider.keys.encryption import encrypt
from proxy.catalogue.credentials import BearerCredential, HeaderCredential, opened

MIGRATION = import_module("proxy.migrations.0004_credentials_and_tls")
OPENED_ONCE = import_module("proxy.migrations.0017_one_operation_opens")


class Row(SimpleNamespace):
    """A backend as the old version stored it."""

    def save(self, *, update_fields: list[str]) -> None:
        """Only what was changed."""
        assert update_fields == ["credential_sealed"]


class Rows(list[Row]):
    """Those with a credential."""

    def exclude(self, **lookup: str) -> "Rows":
        """The others have an empty one."""
        assert lookup == {"credential_sealed": ""}
        return self


def test_a_sealed_secret_and_its_header_become_one_credential() -> None:
    sealed = encrypt(b"s3cret")
    rows = Rows(
        [
            Row(credential_header="Authorization", credential_sealed=sealed),
            Row(credential_header="X-Service-Key", credential_sealed=sealed),
            Row(credential_header="Authorization", credential_sealed="of a key that is gone"),
        ]
    )
    apps: Any = SimpleNamespace(get_model=lambda _app, _name: SimpleNamespace(objects=rows))
    MIGRATION.seal_type_and_name_too(apps, None)
    assert opened(rows[0].credential_sealed) == BearerCredential(token="s3cret")
    assert opened(rows[1].credential_sealed) == HeaderCredential(name="X-Service-Key", value="s3cret")
    assert rows[2].credential_sealed == "of a key that is gone"


def test_of_operations_that_open_the_same_the_one_that_was_heeded_stays() -> None:
    rows = [
        (1, 7, "tool", "find", True),
        (2, 7, "tool", "find", True),
        (3, 7, "tool", "find", False),
        (4, 7, "prompt", "find", False),
        (5, 7, "prompt", "find", False),
        (6, 8, "tool", "find", False),
    ]
    assert OPENED_ONCE.surplus(rows) == [1, 3, 4]
