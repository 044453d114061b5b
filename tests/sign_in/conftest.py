"""A company with an identity provider, and a gateway whose people sign in there."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from tests.chrome import chrome_running
from tests.journeys.server import Demo, free_port, running_demo
from tests.journeys.stores import services
from tests.oauth_provider.webhooks.identity.sender import new_secret
from tests.sign_in.provider import Provider, running_provider

SECRET = new_secret()
PEOPLE = {
    "u-maria": {"email": "maria@acme.example", "email_verified": True, "preferred_username": "maria", "employee": 4711},
    "u-joao": {"email": "joao@acme.example", "email_verified": False, "preferred_username": "joao", "employee": 4712},
    "u-taken": {"email": "U-Lena@acme.example", "email_verified": True, "preferred_username": "lena", "employee": 4713},
}
PEOPLE |= {
    subject: {"email": f"{subject}@acme.example", "preferred_username": subject, "employee": number}
    for number, subject in enumerate(("u-lena", "u-gone"), start=5000)
}


@dataclass(frozen=True, kw_only=True)
class Company:
    """Both servers."""

    demo: Demo
    provider: Provider


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The gateway keeps no passwords: whoever comes is sent to the provider."""
    folder = tmp_path_factory.mktemp("sign-in")
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    with (
        services() as variables,
        running_provider(gateway=gateway, people=PEOPLE, log=folder / "provider.log") as provider,
        running_demo(
            folder,
            port=port,
            **variables,
            **provider.variables,
            SIGN_IN_PASSWORDS="false",
            SIGN_IN_EXTERNAL_ID_CLAIM="employee",
            IDENTITY_WEBHOOK_SECRETS=SECRET,
            OAUTH_RATES="signin=500/m",
        ) as demo,
    ):
        yield Company(demo=demo, provider=provider)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Chromium; ended with the module, because a process has one of these at a time."""
    with chrome_running() as browser:
        yield browser


@pytest.fixture
def tab(chrome: Browser) -> Iterator[Page]:
    """A tab of a person's own, scripts off."""
    context = chrome.new_context(java_script_enabled=False, viewport={"width": 390, "height": 780})
    yield context.new_page()
    context.close()
