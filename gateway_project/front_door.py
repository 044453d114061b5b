"""The front door: refuses what two servers could read differently, and what is too large, before anything is read.

It stands before both roads and does not depend on a proxy in front of it doing the same.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from django.http.request import split_domain_port, validate_host

from proxy.entrypoints.asgi_types import Scope
from proxy.refusals import (
    BadRequest,
    ExpectationFailed,
    HeadersTooLarge,
    MethodNotAllowed,
    NotImplementedMethod,
    UpgradeRefused,
    UriTooLong,
    VersionNotSupported,
)

RawHeaders = Sequence[tuple[bytes, bytes]]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Real methods that nothing here answers (RFC 9110 sections 9.3.6 and 9.3.8)
_KNOWN_METHODS = frozenset({"TRACE", "CONNECT", "TRACK", "DEBUG"})
VERSIONS = frozenset({"1", "1.0", "1.1"})
TARGET_MAX = 8192
HEADERS_MAX = 100
HEADER_MAX = 8192
HEADERS_TOTAL_MAX = 32_768
_SINGLE = frozenset({b"host", b"authorization", b"content-length", b"content-type", b"transfer-encoding"})
_READ = _SINGLE | {b"trailer", b"upgrade", b"expect"}
_LENGTH = re.compile(rb"\A[0-9]{1,18}\Z")
_NAME = re.compile(rb"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
# RFC 9110 section 5.5 without obs-text, which two servers decode differently
_VALUE = re.compile(rb"\A[\t\x20-\x7e]*\Z")
_CLOSE = (("connection", "close"),)


def inspect(scope: Scope, *, allowed_hosts: Sequence[str]) -> None:
    """Let a request in, or not. `allowed_hosts` as Django's setting of that name; empty lets every host in.

    Raises:
        Refusal: 400 ambiguous, 405 or 501 method, 414 and 431 sizes, 417 expectation, 426 upgrade, 505 version.
    """
    _check_line(scope)
    read = _checked(scope["headers"])
    found = _single_headers(read)
    _check_host(found.get(b"host"), scope["http_version"], allowed_hosts)
    _check_framing(found)
    _check_protocol(read)


def _check_line(scope: Scope) -> None:
    if scope["http_version"] not in VERSIONS:
        raise VersionNotSupported(headers=_CLOSE)
    method = scope["method"]
    if method not in METHODS:
        if method in _KNOWN_METHODS:
            raise MethodNotAllowed(headers=(("allow", ", ".join(METHODS)), *_CLOSE))
        raise NotImplementedMethod(headers=_CLOSE)
    target = scope["raw_path"]
    if len(target) + len(scope["query_string"]) >= TARGET_MAX:
        raise UriTooLong(headers=_CLOSE)
    if not target.startswith(b"/"):
        raise BadRequest("The request target must be a path.", reason="target_form", headers=_CLOSE)


def _checked(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Those headers that matter here, once all of them have passed for their size and characters."""
    if len(headers) > HEADERS_MAX:
        raise HeadersTooLarge(headers=_CLOSE)
    total, read = 0, []
    for name, value in headers:
        size = len(name) + len(value)
        total += size
        if size > HEADER_MAX or total > HEADERS_TOTAL_MAX:
            raise HeadersTooLarge(headers=_CLOSE)
        if not _VALUE.match(value) or not _NAME.match(name):
            raise BadRequest(
                "A header has a character outside printable ASCII.", reason="header_character", headers=_CLOSE
            )
        if name in _READ:
            read.append((name, value))
    return read


def _single_headers(headers: RawHeaders) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in found and name in _SINGLE:
            detail = f"Send {name.decode().title()} once."
            raise BadRequest(detail, reason="duplicate_header", headers=_CLOSE)
        found[name] = value
    return found


def _check_host(host: bytes | None, version: str, allowed_hosts: Sequence[str]) -> None:
    if host is None or (not host and version == "1.1"):
        raise BadRequest("Send one Host header.", reason="missing_host", headers=_CLOSE)
    if allowed_hosts and not _is_allowed(host, tuple(allowed_hosts)):
        detail = "Host is no name of this server: use that of PUBLIC_BASE_URL, or have this one added to ALLOWED_HOSTS."
        raise BadRequest(detail, reason="unknown_host", headers=_CLOSE)


@lru_cache(maxsize=64)
def _is_allowed(host: bytes, allowed_hosts: tuple[str, ...]) -> bool:
    domain, _port = split_domain_port(host.decode())
    return bool(domain) and validate_host(domain, allowed_hosts)


def _check_framing(found: dict[bytes, bytes]) -> None:
    length, coding = found.get(b"content-length"), found.get(b"transfer-encoding")
    if length is not None and coding is not None:
        # RFC 9112 section 6.3: the classic way to smuggle a second request
        detail = "Content-Length and Transfer-Encoding exclude each other."
        raise BadRequest(detail, reason="two_framings", headers=_CLOSE)
    if length is not None and not _LENGTH.match(length):
        raise BadRequest("Content-Length must be a number.", reason="content_length", headers=_CLOSE)
    if coding is not None and coding.lower() != b"chunked":
        raise BadRequest("The only transfer coding is chunked.", reason="transfer_coding", headers=_CLOSE)
    if b"trailer" in found:
        raise BadRequest("Trailers are not accepted.", reason="trailer", headers=_CLOSE)


def _check_protocol(headers: RawHeaders) -> None:
    for name, value in headers:
        # A client that merely offers h2c goes on in HTTP/1.1 (RFC 9110 section 7.8)
        if name == b"upgrade" and value.lower() != b"h2c":
            raise UpgradeRefused
        if name == b"expect" and value.lower() != b"100-continue":
            raise ExpectationFailed(headers=_CLOSE)
