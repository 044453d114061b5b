"""Paths: one canonical form that is both authorised and sent, and the templates it is compared with."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from django.utils.translation import gettext_noop as _

# RFC 3986 section 3.3: pchar without ";", which backends read as matrix parameters
_RAW_PATH = re.compile(r"\A(?:/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})*)+\Z")
# Without "*": whoever writes /jobs* means a wildcard, and there is none
_LITERAL = re.compile(r"\A[A-Za-z0-9._~!$&'()+,=:@-]+\Z")
_PARAMETER = re.compile(r"\A\{[A-Za-z_][A-Za-z0-9_]{0,63}\}\Z")
_PREFIX = re.compile(r"\A/api/v1(?:/[a-z0-9][a-z0-9_-]*)+\Z")
# Encoded / \ . ; and control characters
_ENCODED_DANGER = re.compile(rb"%(?:2[eEfF]|5[cC]|3[bB]|[01][0-9A-Fa-f]|7[fF])")
# How often a path may be encoded: nobody means more, and undoing it must cost little
_ENCODINGS_MAX = 4
_C1_CONTROL = re.compile("[\x80-\x9f]")
_DOTS: Final = frozenset({".", ".."})
TAIL: Final = "**"
# Below a prefix whose operations take our tokens the gateway's own document is there, whatever else could match
DOCUMENT_PATHS: Final = ("/openapi.json", "/openapi.yaml")


class AmbiguousPath(ValueError):
    """Two servers could read this path differently; the message says why, without repeating the path."""


class BadTemplate(ValueError):
    """The template of an operation or the prefix of a backend cannot be compiled."""


@dataclass(frozen=True, slots=True)
class CanonicalPath:
    """A path that everybody reads the same way.

    `raw` is what the client sent and the backend will get, byte for byte (ASCII); `raw_segments` are its parts, and
    `segments` the same parts decoded once, for comparison only. `deepest` are the parts decoded for as long as there is
    something to decode, as a careless backend reads them; None when once was enough.
    """

    raw: str
    raw_segments: tuple[str, ...]
    segments: tuple[str, ...]
    deepest: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled operation path: literals and `None` for a parameter; `tail` when it ends in `/**`.

    `names` are those of the parameters, in their order.
    """

    segments: tuple[str | None, ...]
    tail: bool
    names: tuple[str, ...] = ()


def canonical(raw_path: bytes) -> CanonicalPath:
    """The path of a request target, without its query, or a refusal.

    Raises:
        AmbiguousPath: encoded separators or control characters, dot or empty segments, matrix parameters, a
            backslash, a lone percent sign, invalid UTF-8 (RFC 3986 sections 3.3 and 6.2.2).
    """
    try:
        raw = raw_path.decode("ascii")
    except UnicodeDecodeError:
        raise AmbiguousPath("bytes outside ASCII must be percent-encoded") from None
    if not _RAW_PATH.match(raw):
        raise AmbiguousPath("a character that a path may not contain, or a percent sign without two digits")
    raw_segments = tuple(raw[1:].split("/"))
    if "" in raw_segments[:-1]:
        raise AmbiguousPath("empty segment")
    if not _DOTS.isdisjoint(raw_segments):
        raise AmbiguousPath("dot segment")
    if "%" not in raw:
        return CanonicalPath(raw=raw, raw_segments=raw_segments, segments=raw_segments)
    bottom = _checked_to_the_bottom(raw_path).decode("utf-8", "replace")
    segments = tuple(map(_decoded, raw_segments))
    deepest = tuple(bottom[1:].split("/"))
    return CanonicalPath(
        raw=raw, raw_segments=raw_segments, segments=segments, deepest=None if deepest == segments else deepest
    )


def compile_template(template: str) -> Template:
    """Compile the path of an operation, such as `/jobs/{id}` or `/files/**`; `/` is the backend's base itself.

    Raises:
        BadTemplate: it does not start with a slash, repeats a parameter, or has a segment that no path can match.
    """
    if not template.startswith("/"):
        raise BadTemplate(_("A path starts with a slash, such as /jobs/{id}."))
    parts = [] if template == "/" else template[1:].split("/")
    tail = bool(parts) and parts[-1] == TAIL
    if tail:
        parts.pop()
    names = [part for part in parts if part.startswith("{")]
    if len(set(names)) != len(names):
        raise BadTemplate(_("Every parameter needs a name of its own."))
    # A last empty part is a trailing slash, which is a path of its own
    compiled = [_compile_part(part, last=index == len(parts) - 1 and not tail) for index, part in enumerate(parts)]
    return Template(segments=tuple(compiled), tail=tail, names=tuple(name[1:-1] for name in names))


def other_slash(template: Template) -> tuple[Template, ...]:
    """The same path with a slash at its end, or without it: to many backends they are one. A tail has both already."""
    if template.tail:
        return ()
    segments = template.segments
    return (Template(segments[:-1] if segments[-1:] == ("",) else (*segments, ""), tail=False, names=template.names),)


def compile_prefix(prefix: str) -> tuple[str, ...]:
    """The segments of a backend's prefix, such as `/api/v1/jobs`.

    Raises:
        BadTemplate: it lies outside `/api/v1/` or has anything but lower-case letters, digits, `_` and `-`.
    """
    if not _PREFIX.match(prefix):
        raise BadTemplate(
            _("A prefix looks like /api/v1/jobs: lower-case letters, digits, - and _, no slash at the end.")
        )
    return tuple(prefix[1:].split("/"))


def _compile_part(part: str, *, last: bool) -> str | None:
    if _PARAMETER.match(part):
        return None
    if part in _DOTS or part == TAIL or not (_LITERAL.match(part) or (last and not part)):
        raise BadTemplate(
            _("Each part of a path is plain text or one {parameter}; ** may only stand at the end; no dot segments.")
        )
    return part


def _checked_to_the_bottom(raw_path: bytes) -> bytes:
    # %252e and %25%32%65 are a dot to a backend that decodes twice
    encoded = raw_path
    for _depth in range(_ENCODINGS_MAX):
        if _ENCODED_DANGER.search(encoded):
            raise AmbiguousPath("encoded separator, dot or control character")
        decoded = unquote_to_bytes(encoded)
        if decoded == encoded:
            return encoded
        encoded = decoded
    raise AmbiguousPath("encoded several times")


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    try:
        text = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise AmbiguousPath("invalid UTF-8") from None
    if _C1_CONTROL.search(text):
        raise AmbiguousPath("encoded control character")
    return text
