"""Redirect URIs: exact comparison, and what to call the place a person is returned to."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from oauth_provider.connections.models import DEVICE_HOST

# RFC 8252 section 7.3: the port of a loopback redirect is chosen at run time by the native app.
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?(/[^#]*)?")
# Browsers repair these into something else; a URI that needs repair is not an exact one.
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\uffff\\#]|[^\x00-\uffff]")
_SCRIPTABLE = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})
# ChatGPT forwards the callback from one of its hosts to the other, and browsers apply form-action to each hop.
_CHATGPT = frozenset({"https://chat.openai.com", "https://chatgpt.com"})


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a redirect leads, in the terms the consent page uses. ``kind``: web, loopback, app or device."""

    kind: str
    host: str
    authority: str
    uri: str


def is_registered(requested: str, registered: str, *, any_port: bool) -> bool:
    """Whether ``requested`` equals one of the space-separated ``registered`` URIs.

    Simple string comparison (RFC 9700 section 2.1). With ``any_port``, for native apps, the port of a loopback URI
    may differ; its host literal, path and query must still be the same (RFC 8252 section 7.3).
    """
    if _UNSAFE.search(requested) or requested.partition(":")[0].lower() in _SCRIPTABLE:
        return False
    candidates = registered.split()
    if requested in candidates:
        return True
    asked = _LOOPBACK.fullmatch(requested) if any_port else None
    if asked is None:
        return False
    known = (_LOOPBACK.fullmatch(candidate) for candidate in candidates)
    return any(match is not None and match.groups() == asked.groups() for match in known)


def describe(uri: str) -> Destination:
    """Name the place ``uri`` leads to; a device, which nobody is sent back to, has an empty one.

    A host is never shortened: the whole of it is what a person must read.
    """
    parts = urlsplit(uri)
    if not uri:
        return Destination("device", DEVICE_HOST, "", "")
    if parts.scheme not in ("http", "https"):
        return Destination("app", f"{parts.scheme}:", f"{parts.scheme}://{parts.netloc}", uri)
    kind = "loopback" if _LOOPBACK.fullmatch(uri) else "web"
    return Destination(kind, parts.hostname or "", parts.netloc, uri)


def form_action_sources(uri: str) -> list[str]:
    """CSP ``form-action`` sources that let a form's answer be redirected to ``uri``."""
    if not uri:
        return []
    parts = urlsplit(uri)
    # CSP has no syntax for IPv6 literals or for the authority of a private-use scheme.
    if parts.scheme not in ("http", "https") or "[" in parts.netloc:
        return [f"{parts.scheme}:"]
    origin = f"{parts.scheme}://{parts.netloc}"
    return sorted(_CHATGPT) if origin in _CHATGPT else [origin]
