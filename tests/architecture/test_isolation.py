"""What keeps a test run to itself."""

import os
import socket

import pytest
from django.conf import settings
from pytest_socket import SocketConnectBlockedError

from tests.environment import DATA_DIR, set_environment


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com"])
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_no_test_leaves_this_machine(host: str) -> None:
    with socket.socket() as stranger, pytest.raises(SocketConnectBlockedError):
        stranger.connect((host, 443))


def test_the_settings_are_those_of_the_run() -> None:
    assert DATA_DIR.resolve() == settings.DATA_DIR
    assert settings.DEBUG is False


def test_nothing_of_the_developers_shell_reaches_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://elsewhere.example")
    monkeypatch.setenv("CAREERS_SERVICE_URL", "https://elsewhere.example")
    set_environment()
    assert "PUBLIC_BASE_URL" not in os.environ
    assert "CAREERS_SERVICE_URL" not in os.environ
