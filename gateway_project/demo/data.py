"""Who and what the demo shows: the people, clients, scopes, backends and operations of demo.json."""

from dataclasses import dataclass
from typing import Any, Final

from oauth_provider.clients.models import Preset
from oauth_provider.scopes.models import Sensitivity
from proxy.catalogue.from_environment import GPT_PREFIX
from proxy.catalogue.recruiting import IDENTITY_HEADERS, OPERATIONS
from proxy.catalogue.recruiting import SCOPES as RECRUITING_SCOPES

STAFF: Final = "staff"
# Username and the id a backend knows the person by
USERS: Final = (("ana", "user_2abc"), ("bruno", "user_2def"))
API_KEY_NAME: Final = "Demo"
ECHO_PREFIX: Final = "/api/v1/echo"


@dataclass(frozen=True, slots=True)
class DemoBackend:
    """`path` is where it answers at the demo's own backends."""

    name: str
    prefix: str
    path: str
    operations: tuple[dict[str, Any], ...]
    identity_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoClient:
    """`key` is its name in demo.json; the rest are arguments of `create_client`."""

    key: str
    name: str
    preset: str
    scopes: tuple[str, ...]
    default_resource: str
    gpt: str = ""
    # Paths of the APIs it may introspect access tokens for
    serves: tuple[str, ...] = ()


TOOL_SCOPES: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "tool:read",
        "title": "Use tools that only read",
        "description": "Call tools that look something up and change nothing.",
        "translations": {
            "pt-br": {
                "title": "Usar ferramentas de leitura",
                "description": "Chamar ferramentas que consultam e não mudam nada.",
            }
        },
        "sensitivity": Sensitivity.NORMAL,
    },
    {
        "name": "tool:write",
        "title": "Use tools that change things",
        "description": "Call tools that create, change or delete something for you.",
        "translations": {
            "pt-br": {
                "title": "Usar ferramentas que alteram",
                "description": "Chamar ferramentas que criam, mudam ou apagam algo por você.",
            }
        },
        "sensitivity": Sensitivity.WRITE,
    },
)
SCOPES: Final = (*RECRUITING_SCOPES, *TOOL_SCOPES)
SCOPE_NAMES: Final = tuple(str(scope["name"]) for scope in SCOPES)
RECRUITING: Final = tuple(str(scope["name"]) for scope in RECRUITING_SCOPES)
TOOLS: Final = tuple(str(scope["name"]) for scope in TOOL_SCOPES)

ECHO_OPERATIONS: Final[tuple[dict[str, Any], ...]] = (
    {"operation_id": "readEcho", "methods": ["GET"], "path": "/**", "scopes": ["tool:read"], "title": "Read"},
    {
        "operation_id": "writeEcho",
        "methods": ["POST", "PUT", "PATCH", "DELETE"],
        "path": "/**",
        "scopes": ["tool:write"],
        "title": "Write",
    },
)
BACKENDS: Final = (
    DemoBackend("careers", GPT_PREFIX, "/careers/api/v2", OPERATIONS, IDENTITY_HEADERS),
    DemoBackend("echo", ECHO_PREFIX, "/echo", ECHO_OPERATIONS),
)
CLIENTS: Final = (
    DemoClient("gpt", "Career Copilot", Preset.GPT, RECRUITING, GPT_PREFIX, gpt="g-demo"),
    # A program on a person's computer: no secret, and any port of the loopback address
    DemoClient("public", "Desk Assistant", Preset.CLAUDE_CODE, SCOPE_NAMES, ECHO_PREFIX),
    DemoClient("service", "Nightly Report", Preset.SERVICE, TOOLS, ECHO_PREFIX, serves=(ECHO_PREFIX,)),
)
