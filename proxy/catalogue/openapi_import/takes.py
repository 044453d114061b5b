"""What an operation takes: its parameters and its body, as far as a client of the gateway can give it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from proxy.catalogue.header_names import UNNAMEABLE
from proxy.catalogue.media_types import JSON, kind_of, request_type_of
from proxy.catalogue.openapi_import.references import Source, items, objects, text
from proxy.catalogue.openapi_import.translate import Translator, Untranslatable
from proxy.catalogue.schemas import NAME_MAX, PARAMETERS_MAX
from proxy.catalogue.tools import JsonObject

# Headers that OpenAPI itself describes elsewhere (OpenAPI 3.1 section 4.8.12.2)
_NO_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})
# The one way each is written in (section 4.8.12.3)
_STYLES: Final = {"query": "form", "path": "simple", "header": "simple"}


@dataclass(slots=True)
class Takes:
    """`is_incomplete`: something that a call cannot do without is missing."""

    parameters: list[JsonObject] = field(default_factory=list)
    request_schema: JsonObject | None = None
    # "" for application/json
    request_type: str = ""
    response_schema: JsonObject | None = None
    notes: list[str] = field(default_factory=list)
    is_incomplete: bool = False

    def leave_out(self, words: str, *, needed: bool = True) -> None:
        """Say what is missing."""
        self.notes.append(words)
        self.is_incomplete |= needed


def what_it_takes(
    source: Source,
    translator: Translator,
    *,
    place: JsonObject,
    operation: JsonObject,
    names: Mapping[str, str],
    with_body: bool,
) -> Takes:
    """Parameters and schemas of `operation` at the path item `place`; `names` are those in the path, old to new.

    Raises:
        BadDocument: the document is not what OpenAPI says.
    """
    takes = Takes()
    reader = _Reader(source, translator, takes)
    reader.read_parameters([*_listed(place), *_listed(operation)], names)
    if with_body:
        reader.read_body(operation.get("requestBody"))
    elif "requestBody" in operation:
        takes.leave_out(_("A body with this method has no meaning (RFC 9110): it is left out."), needed=False)
    reader.read_answer(objects(operation.get("responses"), where="responses"))
    return takes


def _listed(node: JsonObject) -> list[Any]:
    return items(node.get("parameters"), where="parameters")


@dataclass(frozen=True, slots=True)
class _Reader:
    source: Source
    translator: Translator
    takes: Takes

    def read_parameters(self, listed: list[Any], names: Mapping[str, str]) -> None:
        """Those of the operation replace those of its path."""
        found: dict[tuple[str, str], JsonObject] = {}
        for node in listed:
            parameter = self.source.followed(node, where="parameters")
            found[text(parameter.get("in")), text(parameter.get("name"))] = parameter
        taken: set[str] = set()
        for (place, name), parameter in sorted(found.items(), key=lambda pair: pair[0][0] != "path"):
            written = names.get(name, name) if place == "path" else name
            if self._is_left_out(place, name, parameter, names):
                continue
            if written in taken or len(self.takes.parameters) >= PARAMETERS_MAX:
                words = _(
                    "The parameter %(name)s (%(place)s) is left out: there is another one, or there are too many."
                )
                self.takes.leave_out(words % {"name": name, "place": place}, needed=bool(parameter.get("required")))
                continue
            taken.add(written)
            self.takes.parameters.append(self._parameter(place, written, parameter))

    def _is_left_out(self, place: str, name: str, parameter: JsonObject, names: Mapping[str, str]) -> bool:
        needed = bool(parameter.get("required"))
        facts = {"name": name[:NAME_MAX], "place": place[:20]}
        if place == "header" and name.lower() in _NO_PARAMETERS:
            return True
        if place == "cookie":
            self.takes.leave_out(_("The cookie %(name)s is left out: cookies never pass.") % facts, needed=needed)
        elif place == "header" and name.lower() in UNNAMEABLE:
            words = _("The header %(name)s is left out: the gateway writes it itself.")
            self.takes.leave_out(words % facts, needed=False)
        elif place not in _STYLES or not name.isprintable() or not 0 < len(name) <= NAME_MAX:
            self.takes.leave_out(_("The parameter “%(name)s” in “%(place)s” is left out: no such place.") % facts)
        elif place == "path" and name not in names:
            words = _("The parameter %(name)s is left out: it is not in the path.")
            self.takes.leave_out(words % facts, needed=False)
        elif "content" in parameter:
            words = _("The parameter %(name)s is left out: it is written in a media type of its own.")
            self.takes.leave_out(words % facts, needed=needed)
        elif self._has_a_style(place, parameter):
            words = _("The parameter %(name)s is left out: it is written in a style of its own.")
            self.takes.leave_out(words % facts, needed=needed)
        else:
            return False
        return True

    def _has_a_style(self, place: str, parameter: JsonObject) -> bool:
        if parameter.get("style", _STYLES[place]) != _STYLES[place]:
            return True
        schema = self.source.followed(parameter.get("schema", {}), where="schema")
        kind = schema.get("type")
        if kind == "object":
            return True
        return kind == "array" and parameter.get("explode", place == "query") is not (place == "query")

    def _parameter(self, place: str, name: str, parameter: JsonObject) -> JsonObject:
        written: JsonObject = {"name": name, "in": place}
        if place == "path" or parameter.get("required") is True:
            written["required"] = True
        if words := text(parameter.get("description")):
            written["description"] = words
        schema = self._schema(
            parameter.get("schema", {}), what=_("The schema of the parameter %(name)s") % {"name": name}
        )
        return written | ({"schema": schema} if schema is not None else {})

    def read_body(self, node: object) -> None:
        """The JSON of it."""
        if node is None:
            return
        body = self.source.followed(node, where="requestBody")
        content = objects(body.get("content"), where="content")
        name = _json_of(content)
        others = sorted(name[:100] for name in content if not _is_json(name))
        if name is None:
            if others:
                words = _("Its body is left out: of %(types)s the gateway's clients send none.")
                # Few documents say `required`, and an upload without its file is no call
                self.takes.leave_out(words % {"types": ", ".join(others)})
            return
        if others:
            words = _("Of its body only JSON is described; left out: %(types)s.")
            self.takes.leave_out(words % {"types": ", ".join(others)}, needed=False)
        media = objects(content[name], where="content")
        self.takes.request_type = request_type_of(name)
        self.takes.request_schema = self._schema(media.get("schema", {}), what=_("The schema of its body"))

    def read_answer(self, responses: JsonObject) -> None:
        """The JSON of the first success."""
        for status in sorted(name for name in responses if name.startswith("2")):
            response = self.source.followed(responses[status], where="responses")
            content = objects(response.get("content"), where="content")
            if (name := _json_of(content)) is not None:
                media = objects(content[name], where="content")
                self.takes.response_schema = self._schema(media.get("schema", {}), what=_("The schema of its answer"))
                return

    def _schema(self, node: object, *, what: str) -> JsonObject | None:
        try:
            return self.translator.schema(node)
        except Untranslatable as fault:
            words = {"what": what, "why": str(fault)}
            self.takes.leave_out(_("%(what)s is left out: %(why)s.") % words, needed=False)
            return None


def _json_of(content: JsonObject) -> str | None:
    """The name of the JSON in it, application/json before others."""
    return next((name for name in sorted(content, key=lambda name: kind_of(name) != JSON) if _is_json(name)), None)


def _is_json(name: str) -> bool:
    kind = kind_of(name)
    return kind in {JSON, "*/*", "application/*"} or kind.endswith("+json")
