"""Origin: which request an event belongs to, known on both roads without passing it by hand."""

from contextvars import ContextVar, Token
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

IPV4_PREFIX = 24
IPV6_PREFIX = 48


@dataclass(frozen=True, slots=True)
class Origin:
    """One request as the front door saw it; `address` is the whole address, events keep its network only."""

    request_id: str
    address: str = ""
    user_agent: str = ""


current_origin: ContextVar[Origin | None] = ContextVar("current_origin", default=None)


def set_origin(origin: Origin) -> Token[Origin | None]:
    """Name the request the current context works for; `current_origin.reset(token)` ends it."""
    return current_origin.set(origin)


@lru_cache(maxsize=8192)
def truncated_address(address: str) -> str:
    """The network of an address, /24 or /48, so that an event points at no single household; "" when it is none."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    plain = mapped or parsed
    prefix = IPV4_PREFIX if plain.version == 4 else IPV6_PREFIX
    return str(ip_network(f"{plain}/{prefix}", strict=False))


def origin_request_id() -> str:
    """The id of the current request, "" outside one."""
    origin = current_origin.get()
    return origin.request_id if origin else ""


def origin_network() -> str:
    """The truncated address of the current request, "" outside one."""
    origin = current_origin.get()
    return truncated_address(origin.address) if origin else ""
