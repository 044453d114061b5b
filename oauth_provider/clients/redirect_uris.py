"""Which redirect URIs may be registered (RFC 9700 section 4.1, RFC 8252 section 7)."""

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Schemes a browser or operating system gives a meaning of its own
FORBIDDEN_SCHEMES = frozenset({
    "javascript", "data", "vbscript", "file", "filesystem", "blob", "about", "ftp", "ws", "wss", "mailto",
    "intent", "content", "android-app", "chrome", "chrome-extension", "moz-extension", "resource", "view-source", "jar",
    "tel", "sms", "ssh", "telnet", "git", "ldap", "smb", "shell", "search-ms", "itms-apps",
})  # fmt: skip
# Microsoft's own: some of them start programs
_MICROSOFT = "ms-"
# Browsers take dot segments and numeric hosts for something else than what is written
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\.?\Z", re.IGNORECASE)
_ODD = re.compile(r"[^\x21-\x7e]|[\\<>\"{}|^`*]")
MAX_LENGTH = 2000


def check_redirect_uris(uris: list[str], *, public: bool) -> None:
    """Check every URI a client may be sent back to; matching is exact later, so each must be complete.

    Raises:
        ValidationError: with one message per URI that cannot be registered.
    """
    problems = [f"{uri}: {problem}" for uri in uris if (problem := _problem(uri, public=public))]
    if problems:
        raise ValidationError(problems)


def _problem(uri: str, *, public: bool) -> str:
    try:
        parts = urlsplit(uri)
        _port = parts.port
    except ValueError:
        return _("this is not a valid address.")
    if _ODD.search(uri) or len(uri) > MAX_LENGTH or not parts.scheme or _DOT_SEGMENT.search(parts.path):
        return _("write it out completely, without spaces, wildcards or special characters.")
    if "#" in uri or parts.username is not None or parts.password is not None:
        return _("it must not contain # or a user name.")
    if parts.scheme == "https":
        return _host_problem(parts.hostname or "")
    if parts.scheme == "http":
        return "" if parts.hostname in LOOPBACK else _("http is only allowed for this computer (127.0.0.1, localhost).")
    if parts.scheme in FORBIDDEN_SCHEMES or parts.scheme.startswith(_MICROSOFT) or not public:
        return _("this scheme is only allowed for apps without a secret, and only if it is the app's own.")
    return ""


def _host_problem(host: str) -> str:
    if not host:
        return _("the host is missing.")
    if "%" in host or (_NUMERIC_HOST.search(host.rpartition(".")[2]) and not _is_address(host)):
        return _("write the host as a name, or as an IP address in its usual form.")
    return ""


def _is_address(host: str) -> bool:
    try:
        return str(ipaddress.ip_address(host)) == host
    except ValueError:
        return False
