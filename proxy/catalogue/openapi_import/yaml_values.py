"""YAML as far as it says what JSON can say (YAML 1.2, core schema), read event by event.

Nothing is constructed that a document asks for by a tag, and an alias counts as often as it is used, so that a few
lines cannot stand for gigabytes.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml
from django.utils.translation import gettext as _

from proxy.catalogue.openapi_import.faults import BadDocument

DEPTH_MAX: Final = 64
VALUES_MAX: Final = 1_000_000
_TEXT: Final = frozenset({"!", "tag:yaml.org,2002:str"})
_PLAIN_TAGS: Final = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", *_TEXT})
_NULL = re.compile(r"\A(?:~|null|Null|NULL|)\Z")
_BOOLEAN = re.compile(r"\A(?:true|True|TRUE|false|False|FALSE)\Z")
_INTEGER = re.compile(r"\A[-+]?[0-9]{1,100}\Z")
_FLOAT = re.compile(r"\A[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z")


def yaml_value(text: str) -> object:
    """The value of a document.

    Raises:
        BadDocument: it is no YAML, says what JSON cannot say, names something twice, or is nested or repeated too much.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        words = {"line": mark.line + 1 if mark else 1, "fault": str(getattr(fault, "problem", "") or "")[:200]}
        raise BadDocument(_("Line %(line)d is no YAML: %(fault)s") % words) from None
    return builder.value


@dataclass(slots=True)
class _Frame:
    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    size: int = 1


class _Builder:
    """Takes the events of one document."""

    def __init__(self) -> None:
        self.value: object = None
        self._documents = 0
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[object, int]] = {}

    def take(self, event: Any) -> None:  # noqa: ANN401 - the library's events
        """Go on with the next event."""
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _fault(event, _("a second document"))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if event.tag not in _PLAIN_TAGS:
                    raise _fault(event, _("a tag, which JSON does not have"))
                if len(self._open) >= DEPTH_MAX:
                    raise _fault(event, _("nested too deeply"))
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._refuse_as_key(event)
                self._open.append(_Frame({} if is_mapping else [], event.anchor))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                frame = self._open.pop()
                self._put(event, frame.value, frame.size, frame.anchor)
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.AliasEvent():
                self._refuse_as_key(event)
                if event.anchor not in self._anchors:
                    raise _fault(event, _("an alias without its anchor"))
                value, size = self._anchors[event.anchor]
                self._put(event, value, size, None)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.tag not in _PLAIN_TAGS:
            raise _fault(event, _("a tag, which JSON does not have"))
        frame = self._open[-1] if self._open else None
        if frame and isinstance(frame.value, dict) and frame.key is None:
            # A name is a text, whatever it looks like: 200, on, null
            if event.value == "<<" and event.implicit[0]:
                raise _fault(event, _("a merge key: write out what it stands for"))
            if event.value in frame.value:
                raise _fault(event, _("the name %(name)s a second time") % {"name": event.value[:100]})
            frame.key = event.value
            return
        is_text = not event.implicit[0] or event.tag in _TEXT
        self._put(event, event.value if is_text else _plain(event.value), 1, event.anchor)

    def _refuse_as_key(self, event: Any) -> None:  # noqa: ANN401 - the library's events
        frame = self._open[-1] if self._open else None
        if frame and isinstance(frame.value, dict) and frame.key is None:
            raise _fault(event, _("a name that is no text"))

    def _put(self, event: Any, value: object, size: int, anchor: str | None) -> None:  # noqa: ANN401 - as above
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        if not self._open:
            self.value = value
            return
        frame = self._open[-1]
        frame.size += size
        if frame.size > VALUES_MAX:
            raise _fault(event, _("more than %(most)d values") % {"most": VALUES_MAX})
        if isinstance(frame.value, list):
            frame.value.append(value)
        else:
            frame.value[str(frame.key)] = value
            frame.key = None


def _plain(text: str) -> object:
    if _NULL.match(text):
        return None
    if _BOOLEAN.match(text):
        return text.lower() == "true"
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


def _fault(event: Any, words: str) -> BadDocument:  # noqa: ANN401 - the library's events
    facts = {"line": event.start_mark.line + 1, "fault": words}
    return BadDocument(_("Line %(line)d cannot be read: %(fault)s.") % facts)
