"""A device without a browser, and the person who has one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.test import Client as Browser

from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from oauth_provider.device.live import DEVICE_CODE
from oauth_provider.device.models import DeviceCode
from tests.oauth_provider.authorize.world import World


def post(path: str, **form: str) -> Any:
    """POST a form as a program does."""
    return Browser().post(path, urlencode(form), content_type="application/x-www-form-urlencoded")


@dataclass
class Device:
    """What it asks and how it polls."""

    world: World

    @property
    def client(self) -> Client:
        """Its client, which is public."""
        return self.world.public

    def ask(self, **changes: str) -> Any:
        """POST to the device authorization endpoint."""
        form = {"client_id": self.client.client_id, "scope": "tool:read tool:write", **changes}
        return post("/oauth/device_authorization", **form)

    def start(self, **changes: str) -> dict[str, Any]:
        """Both codes."""
        answer = self.ask(**changes)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def poll(self, started: dict[str, Any], **changes: str) -> Any:
        """POST to the token endpoint."""
        form = {"grant_type": DEVICE_CODE, "device_code": started["device_code"], "client_id": self.client.client_id}
        return post("/oauth/token", **form | changes)

    def error(self, started: dict[str, Any], **changes: str) -> str:
        """What a poll is refused with."""
        answer = self.poll(started, **changes)
        assert answer.status_code == 400, answer.content
        return str(answer.json()["error"])

    def later(self, seconds: float) -> None:
        """Let time pass for every code."""
        for row in DeviceCode.objects.all():
            row.expires_at -= timedelta(seconds=seconds)
            if row.polled_at:
                row.polled_at -= timedelta(seconds=seconds)
            row.save()

    def enter(self, typed: str) -> Any:
        """The person types a code."""
        return self.world.browser.post("/device", {"user_code": typed})

    def decide(self, started: dict[str, Any], decision: str = "allow", **changes: Any) -> Any:
        """The person types the code and decides on the page it leads to."""
        assert self.enter(started["user_code"]).status_code == 200
        return self.world.decide(Interaction.objects.latest("created_at"), decision, **changes)
