"""What a document would make of a backend: one proposal per operation, and what of it nobody can use here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from oauth_provider.scopes.models import Scope
from proxy.catalogue.addresses import parse_upstream_url
from proxy.catalogue.models import METHODS, Backend
from proxy.catalogue.openapi_import.faults import BadDocument
from proxy.catalogue.openapi_import.places import NoPlace, Places
from proxy.catalogue.openapi_import.references import Source, objects, text
from proxy.catalogue.openapi_import.security import what_it_needs
from proxy.catalogue.openapi_import.takes import what_it_takes
from proxy.catalogue.openapi_import.translate import Translator
from proxy.catalogue.tools import SAFE, JsonObject

TITLE_MAX: Final = 120
DESCRIPTION_MAX: Final = 10_000
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_NEVER: Final = ("options", "trace")
# What a method says by itself (RFC 9110 section 9.2), written out so that staff see it and may differ
_HINTS: Final[dict[str, dict[str, bool]]] = {
    "GET": {"read_only": True},
    "PUT": {"destructive": True, "idempotent": True},
    "PATCH": {"destructive": True},
    "DELETE": {"destructive": True, "idempotent": True},
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """An operation of the document. `label` is its method and path there, `values` are fields of `Operation`.

    Without `values` it cannot be one; `notes` say why, and otherwise what of it was left out.
    """

    label: str
    operation_id: str
    values: JsonObject | None
    notes: tuple[str, ...]


class Proposer:
    """Reads one document for one backend; `otherwise` are the scopes of operations that name none we know."""

    def __init__(self, document: JsonObject, *, backend: Backend, otherwise: Sequence[str] = ()) -> None:
        self._source = Source(document)
        self._translator = Translator(self._source)
        self._places = Places(self._source, base=parse_upstream_url(backend.upstream_url, own_origin="").path)
        self._otherwise = otherwise
        self._known = frozenset(Scope.objects.values_list("name", flat=True))
        if strange := sorted(set(otherwise) - self._known):
            raise BadDocument(_("No such scope: %(names)s.") % {"names": ", ".join(strange)})
        self._paths = objects(document.get("paths"), where="paths")

    def __len__(self) -> int:
        """How many paths there are to read."""
        return len(self._paths)

    def proposals(self) -> Iterator[list[Proposal]]:
        """Those of each path.

        Raises:
            BadDocument: the document is not what OpenAPI says; the message begins with the path.
        """
        for path, node in self._paths.items():
            if path.startswith("x-"):
                yield []
                continue
            try:
                yield list(self._at(path, self._source.followed(node, where="paths")))
            except BadDocument as fault:
                raise BadDocument(f"{path[:200]}: {fault}") from None

    def notes(self) -> list[str]:
        """What concerns the whole document, once every path was read."""
        found = sorted(self._places.notes)
        if self._translator.left_out_patterns:
            patterns = ", ".join(sorted(self._translator.left_out_patterns)[:10])
            found.append(
                _("Patterns that would take more than linear time are left out: %(names)s") % {"names": patterns}
            )
        if self._source.root.get("webhooks"):
            found.append(_("Webhooks are left out: the gateway carries calls inward only."))
        return found

    def _at(self, path: str, item: JsonObject) -> Iterator[Proposal]:
        for method in METHODS:
            if (operation := item.get(method.lower())) is not None:
                described = objects(operation, where=method)
                yield self._proposal(method, path, item, described)
        for method in (name for name in _NEVER if name in item):
            yield _impossible(
                method.upper(), path, item[method], _("Left out: the gateway does not carry this method.")
            )

    def _proposal(self, method: str, path: str, item: JsonObject, operation: JsonObject) -> Proposal:
        try:
            place = self._places.of(path, item=item, operation=operation)
        except NoPlace as fault:
            return _impossible(method, path, operation, _("Left out: %(why)s") % {"why": fault})
        takes = what_it_takes(
            self._source, self._translator, place=item, operation=operation, names=place.names,
            with_body=method in _WITH_BODY,
        )  # fmt: skip
        needs = what_it_needs(self._source, operation, known=self._known, otherwise=self._otherwise)
        notes = [*takes.notes, *([needs.note] if needs.note else [])]
        if takes.is_incomplete and needs.scopes:
            notes.append(_("Disabled: a call needs what is left out."))
        if operation.get("callbacks"):
            notes.append(_("Its callbacks are left out: the gateway carries calls inward only."))
        if len(text(operation.get("summary"))) > TITLE_MAX:
            notes.append(_("Its summary is cut to %(most)d characters.") % {"most": TITLE_MAX})
        asks = operation.get("x-openai-isConsequential")
        values = {
            "methods": [method],
            "path": place.path,
            "title": text(operation.get("summary"))[:TITLE_MAX],
            "description": (text(operation.get("description")) or text(item.get("description")))[:DESCRIPTION_MAX],
            "parameters": takes.parameters,
            "request_schema": takes.request_schema,
            "request_type": takes.request_type,
            "response_schema": takes.response_schema,
            "annotations": _HINTS.get(method, {}),
            "scopes": list(needs.scopes),
            "enabled": bool(needs.scopes) and not takes.is_incomplete,
            "consequential": asks if isinstance(asks, bool) else method not in SAFE,
        }
        return Proposal(_label(method, path), text(operation.get("operationId")), values, tuple(notes))


def _impossible(method: str, path: str, operation: object, words: str) -> Proposal:
    named = text(operation.get("operationId")) if isinstance(operation, dict) else ""
    return Proposal(_label(method, path), named, None, (words,))


def _label(method: str, path: str) -> str:
    return f"{method} {path[:200]}"
