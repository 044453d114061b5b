"""Which scopes an operation needs, as far as its document says so in names that exist here."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from proxy.catalogue.openapi_import.references import Source, items, objects
from proxy.catalogue.tools import JsonObject

_WITH_SCOPES = frozenset({"oauth2", "openIdConnect"})


@dataclass(frozen=True, slots=True)
class Needs:
    """`scopes` are known when there are any; `note` says why not, or what was chosen in their place."""

    scopes: tuple[str, ...] = ()
    note: str = ""


def what_it_needs(source: Source, operation: JsonObject, *, known: Container[str], otherwise: Sequence[str]) -> Needs:
    """The scopes of `operation` among the `known`; `otherwise` are those whoever imports gives to the rest.

    Of several alternatives the first that is known is taken: it asks for no less than any of them would.

    Raises:
        BadDocument: the document is not what OpenAPI says.
    """
    named = _alternatives(source, operation)
    for scopes in named:
        if scopes and all(scope in known for scope in scopes):
            return Needs(scopes=tuple(sorted(scopes)))
    if otherwise:
        return Needs(scopes=tuple(sorted(set(otherwise))))
    strange = sorted({scope[:100] for scopes in named for scope in scopes if scope not in known})
    if strange:
        words = _("Disabled: it needs %(names)s, and no such permission exists here.")
        return Needs(note=words % {"names": ", ".join(strange)})
    return Needs(note=_("Disabled: the document does not say which permissions it needs."))


def _alternatives(source: Source, operation: JsonObject) -> list[set[str]]:
    listed = operation["security"] if "security" in operation else source.root.get("security")
    schemes = objects(
        objects(source.root.get("components"), where="components").get("securitySchemes"), where="securitySchemes"
    )
    return [_scopes(source, schemes, objects(each, where="security")) for each in items(listed, where="security")]


def _scopes(source: Source, schemes: JsonObject, requirement: JsonObject) -> set[str]:
    found: set[str] = set()
    for name, scopes in requirement.items():
        scheme = source.followed(schemes.get(name, {}), where="securitySchemes")
        if scheme.get("type") in _WITH_SCOPES:
            found |= {scope for scope in items(scopes, where="security") if isinstance(scope, str)}
    return found
