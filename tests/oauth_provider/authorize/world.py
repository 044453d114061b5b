"""What the tests of the authorization endpoint ask for, and the browser that asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.test import Client as Browser

from oauth_provider.authorize.models import Interaction
from oauth_provider.clients.models import Client
from oauth_provider.resources.models import Resource

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "https://c.example/cb"

Answer = Callable[[Any], dict[str, str]]


@dataclass
class World:
    """Two people, two clients and one resource."""

    browser: Browser
    ana: User
    bruno: User
    public: Client
    gpt: Client
    resource: Resource
    defaults: dict[str, str] = field(default_factory=dict)

    def url(self, **changes: str | None) -> str:
        """An authorization URL of the public client; a parameter changed to None is left out."""
        parameters = {**self.defaults, **changes}
        return "/oauth/authorize?" + urlencode({k: v for k, v in parameters.items() if v is not None})

    def ask(self, **changes: str | None) -> Any:
        """GET the authorization endpoint."""
        return self.browser.get(self.url(**changes))

    def open(self, **changes: str | None) -> Interaction:
        """Show the consent page and return its interaction."""
        assert self.ask(**changes).status_code == 200
        return Interaction.objects.latest("created_at")

    def decide(
        self, interaction: Interaction | str, decision: str = "allow", scope: Any = ("tool:read",), duration: str = ""
    ) -> Any:
        """POST the consent form; without a duration, as a script may."""
        key = interaction if isinstance(interaction, str) else interaction.pk
        form = {"interaction": key, "decision": decision, "scope": list(scope)}
        return self.browser.post("/oauth/authorize", form | ({"duration": duration} if duration else {}))
