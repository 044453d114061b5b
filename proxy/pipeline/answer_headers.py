"""The half of Transform that faces the client: which headers of a backend's answer go out, and which are ours."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from proxy.catalogue.addresses import DEFAULT_PORTS
from proxy.catalogue.header_names import folded
from proxy.catalogue.models import AuthMode
from proxy.catalogue.parameters import without
from proxy.catalogue.paths import AmbiguousPath, canonical
from proxy.catalogue.plans import BackendPlan
from proxy.pipeline.call import Headers
from proxy.refusals import BackendNonsense

_DROPPED = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authentication-info", "te", "trailer",
     "transfer-encoding", "content-length", "upgrade", "set-cookie", "set-cookie2", "content-security-policy",
     "content-security-policy-report-only", "strict-transport-security", "public-key-pins", "x-frame-options",
     "x-content-type-options", "x-xss-protection", "permissions-policy", "feature-policy", "referrer-policy",
     "cross-origin-opener-policy", "cross-origin-embedder-policy", "cross-origin-resource-policy",
     "origin-agent-cluster", "document-policy", "report-to", "reporting-endpoints", "nel", "clear-site-data",
     "service-worker-allowed", "sourcemap", "x-sourcemap", "refresh", "link", "alt-svc", "alt-used", "server",
     "x-powered-by", "date", "via",
     "x-request-id", "surrogate-control", "cdn-cache-control", "pragma", "expires", "vary", "cache-control",
     "location", "content-location", "www-authenticate", "x-user-id", "x-client-id", "x-scopes", "x-tenant-id",
     "x-roles", "x-robots-tag"}
)  # fmt: skip
_DROPPED_PREFIXES = ("access-control-", "x-accel-", "x-gateway-", "x-sendfile", "ratelimit")
# Everything else may run in a browser on this origin
_PASSIVE = frozenset(
    {"application/json", "application/problem+json", "application/x-ndjson", "application/jsonl",
     "application/octet-stream", "text/plain", "text/csv", "text/event-stream",
     "image/png", "image/jpeg", "image/gif", "image/webp"}
)  # fmt: skip
_STREAMS = frozenset({"text/event-stream", "application/x-ndjson", "application/jsonl"})
_UNSHARED = frozenset({"public", "private", "s-maxage", "proxy-revalidate", "stale-while-revalidate", "stale-if-error"})
_SANDBOX = ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
_NO_BODY_STATUS = frozenset({204, 304})


def outward(backend: BackendPlan, *, mode: str, status: int, headers: Sequence[tuple[str, str]]) -> Headers:
    """The headers of an answer: the backend's harmless ones, then the gateway's. Names in lower case."""
    values: dict[str, str] = {}
    passed = []
    for mixed, value in headers:
        name = mixed.lower()
        values[name] = f"{values[name]}, {value}" if name in values else value
        # A backend that repeats what it was sent would tell the caller the gateway's credential
        if _crosses(name) and not (backend.own_headers and folded(name) in backend.own_headers):
            passed.append((name, value))
    if "connection" in values:
        listed = {token.strip().lower() for token in values["connection"].split(",")}
        passed = [(name, value) for name, value in passed if name not in listed]
    added = [("cache-control", _cache_control(values.get("cache-control"), shared=mode == AuthMode.PUBLIC))]
    added += [
        (name, target)
        for name in ("location", "content-location")
        if name in values and (target := _own_location(backend, values[name]))
    ]
    if mode == AuthMode.PASSTHROUGH and "www-authenticate" in values:
        # There the backend is the resource server that the client has to understand
        added.append(("www-authenticate", values["www-authenticate"]))
    media_type = _media_type(values.get("content-type", ""))
    if media_type not in _PASSIVE and status not in _NO_BODY_STATUS:
        added.append(_SANDBOX)
    if media_type in _STREAMS:
        added.append(("x-accel-buffering", "no"))
    added.append(("vary", _vary(values.get("vary", ""), shared=mode == AuthMode.PUBLIC)))
    return (*passed, *added)


def announced_length(headers: Sequence[tuple[str, str]]) -> int | None:
    """The announced length of a body in bytes, None when there is none.

    Raises:
        BackendNonsense: it is no number, the body is said to come in chunks as well (RFC 9112 section 6.3), or in a
            transfer coding that nobody asked for and that is not undone here (section 7.4).
    """
    values = {value.strip() for name, value in headers if name.lower() == "content-length"}
    codings = [value.strip().lower() for name, value in headers if name.lower() == "transfer-encoding"]
    if codings and (values or codings != ["chunked"]):
        raise BackendNonsense(reason="backend_framing")
    if not values:
        return None
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()):
        raise BackendNonsense(reason="backend_framing")
    return int(value)


@lru_cache(maxsize=512)
def _media_type(value: str) -> str:
    # Of several, whatever separates them, browsers take the last (Fetch standard, "extract a MIME type"): none is ours
    return "" if "," in value else value.partition(";")[0].strip().lower()


@lru_cache(maxsize=2048)
def _crosses(name: str) -> bool:
    return name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)


@lru_cache(maxsize=512)
def _cache_control(value: str | None, *, shared: bool) -> str:
    if shared and value is not None:
        return value
    directives = [part.strip().lower() for part in (value or "no-store").split(",") if part.strip()]
    if "no-store" in directives or shared:
        return "no-store"
    return ", ".join(["private", *(part for part in directives if part.partition("=")[0] not in _UNSHARED)])


@lru_cache(maxsize=512)
def _vary(value: str, *, shared: bool) -> str:
    if value.strip() == "*":
        return "*"
    names = {part.strip().lower(): part.strip() for part in value.split(",") if part.strip()}
    names["origin"] = "Origin"
    if not shared:
        names["authorization"] = "Authorization"
    return ", ".join(names.values())


def _own_location(backend: BackendPlan, value: str | None) -> str | None:
    """A redirect below the backend's base as a path of this gateway; None for everything else."""
    if not value or "\\" in value or not value.isascii() or not value.isprintable():
        return None
    try:
        parts = urlsplit(value)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    base = backend.base
    elsewhere = (parts.scheme, parts.hostname, port) != (base.scheme, base.host, base.port)
    if parts.username is not None or ((parts.scheme or parts.netloc) and elsewhere):
        return None
    if parts.path != base.path and not parts.path.startswith(f"{base.path}/"):
        return None
    rest = parts.path[len(base.path) :]
    try:
        canonical((backend.prefix + rest).encode())
    except AmbiguousPath:
        return None
    # A backend that adds a slash repeats the query it was called with
    kept = without(parts.query, backend.own_parameters)
    query = f"?{kept}" if kept else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{backend.prefix}{rest}{query}{fragment}"
