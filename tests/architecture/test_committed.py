"""What must never be committed."""

import re

from tests.architecture.tree import committed, shown

# Written apart, or this file would find itself
REGISTRIES = re.compile(rb"\b(pypi|npmjs|pythonhosted|crates|rubygems)" + rb"\.(org|com|io)\b", re.IGNORECASE)
PRIVATE_KEY = re.compile(rb"-----BEGIN " + rb"[A-Z ]*PRIVATE KEY-----")


def test_no_file_names_a_package_registry() -> None:
    # An installer asks the registry it is configured for; a lock file that names one asks that one everywhere
    assert not [shown(path) for path in committed() if REGISTRIES.search(path.read_bytes())]


def test_no_file_holds_a_private_key() -> None:
    assert not [shown(path) for path in committed() if PRIVATE_KEY.search(path.read_bytes())]
