"""What is no JSON, as content of a tool's result (MCP 2025-11-25 and 2026-07-28, server/tools, tool result)."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from proxy.pipeline.call import Headers

# In base64 a third longer: what a whole result may have
FILE_MAX_BYTES: Final = 3 * 1024 * 1024
# A host hands pictures to its model, which takes no others; and a file that only claims to be one ends a conversation
_PICTURES: Final = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_TEXTS: Final = frozenset({"application/xml", "application/yaml", "application/x-yaml", "application/javascript",
                           "application/x-ndjson", "application/jsonl", "application/sql", "application/toml",
                           "application/x-www-form-urlencoded"})  # fmt: skip
_CHARSETS: Final = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"})
_CHARSET: Final = re.compile(r";\s*charset=\"?([A-Za-z0-9_-]+)", re.IGNORECASE)
_FILE_NAME: Final = re.compile(r";\s*filename=(?:\"([^\"]*)\"|([^\s;]+))", re.IGNORECASE)
_NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """What a backend says an answer is: `media_type` in lower case without parameters, "" when it does not."""

    media_type: str
    charset: str
    file_name: str

    @property
    def is_json(self) -> bool:
        """Whether it is read as JSON; what has no name is."""
        return not self.media_type or self.media_type == "application/json" or self.media_type.endswith("+json")

    @property
    def is_text(self) -> bool:
        """Whether a model can read it as it is. A drawing (SVG) and a page (HTML) are texts, and no pictures."""
        return self.media_type.startswith("text/") or self.media_type.endswith("+xml") or self.media_type in _TEXTS

    def decoded(self, content: bytes) -> str:
        """The text of an answer; what is none in its character set is replaced."""
        return content.decode(self.charset, "replace").replace("\x00", "")

    def text_block(self, text: str, content: bytes) -> dict[str, Any]:
        """Content for a `text` out of `content`: a text, or a resource where its type says more than that."""
        if self.media_type.startswith("text/") or not self.media_type:
            return {"type": "text", "text": text}
        return self._resource(content, text=text)

    def file_blocks(self, content: bytes) -> list[dict[str, Any]]:
        """Content for a file of at most `FILE_MAX_BYTES`: a picture, a sound, or any other with words about it."""
        data = base64.b64encode(content).decode("ascii")
        family = self.media_type.partition("/")[0]
        picture = _PICTURES.get(self.media_type)
        if family == "audio" or (picture and picture.match(content)):
            return [{"type": family, "data": data, "mimeType": self.media_type}]
        # Many models see nothing of a resource but what is said beside it
        words = f"A file: {self.file_name or 'without a name'}, {self.media_type}, {len(content)} bytes."
        return [{"type": "text", "text": words}, self._resource(content, blob=data)]

    def _resource(self, content: bytes, **held: str) -> dict[str, Any]:
        # Named by what is in it, because nobody could fetch it again by an address (RFC 6920 section 3)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
        return {"type": "resource", "resource": {"uri": f"ni:///sha-256;{digest}", "mimeType": self.media_type, **held}}


def kind_of(headers: Headers) -> Kind:
    """What the headers of an answer say it is (RFC 9110 section 8.3, RFC 6266)."""
    found = dict(headers)
    declared = found.get("content-type", "")
    charset = _CHARSET.search(declared)
    named = charset[1].lower() if charset else "utf-8"
    return Kind(
        media_type=declared.partition(";")[0].strip().lower(),
        charset=named if named in _CHARSETS else "utf-8",
        file_name=_file_name(found.get("content-disposition", "")),
    )


def _file_name(disposition: str) -> str:
    found = _FILE_NAME.search(disposition)
    if found is None:
        return ""
    name = (found[1] or found[2] or "").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable())[:_NAME_MAX]
