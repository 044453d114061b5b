"""The consent page as data: exactly what a person reads, and its digest."""

import hashlib
import json
from dataclasses import asdict, dataclass

from django.conf import settings
from django.utils.translation import get_language, get_supported_language_variant
from django.utils.translation import gettext as _

from oauth_provider.authorize.redirects import Destination, describe
from oauth_provider.authorize.run import Acceptable
from oauth_provider.clients.models import Client
from oauth_provider.scopes.models import Scope


@dataclass(frozen=True, slots=True)
class Permission:
    """One checkbox."""

    name: str
    title: str
    description: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Permissions of one sensitivity under their heading."""

    sensitivity: str
    heading: str
    hint: str
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """What is shown; ``digest`` is kept with the connection as the record of the words."""

    client_name: str
    platform: str
    trust: str
    trust_words: str
    groups: tuple[Group, ...]
    destination: Destination
    locale: str

    @property
    def digest(self) -> str:
        """Hex SHA-256 over the canonical JSON of the page."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def present(acceptable: Acceptable) -> ConsentPage:
    """Put a request into words, in the active language."""
    client = acceptable.answerable.client
    platform = platform_name()
    return ConsentPage(
        client_name=client.name or client.client_id,
        platform=platform,
        trust=client.trust,
        trust_words=_trust_words(client, platform),
        groups=_groups(acceptable.scopes),
        destination=describe(acceptable.answerable.redirect_uri),
        locale=get_language() or settings.LANGUAGE_CODE,
    )


def platform_name() -> str:
    """What people call the place they sign in to."""
    return str(getattr(settings, "PLATFORM_NAME", "Gatehouse"))


def choose_language(ui_locales: str) -> str | None:
    """Return the first of the client's ``ui_locales`` (BCP 47 tags, best first) that the pages exist in."""
    for tag in ui_locales.split():
        try:
            return str(get_supported_language_variant(tag.lower()))
        except LookupError:
            continue
    return None


def _trust_words(client: Client, platform: str) -> str:
    words = {
        "verified": _("Verified by %(platform)s."),
        "proven": _("Its identity is proven by its own domain."),
        "claimed": _("It claims an identity that %(platform)s has not checked."),
    }
    unverified = _("Unverified: %(platform)s does not know who runs this application.")
    return words.get(client.trust, unverified) % {"platform": platform}


def _groups(scopes: tuple[Scope, ...]) -> tuple[Group, ...]:
    unticked = _("Not ticked for you. Tick what you want to allow.")
    headings = (
        ("normal", _("See"), ""),
        ("write", _("Do for you"), unticked),
        ("sensitive", _("Sensitive"), unticked),
    )
    groups = (
        Group(sensitivity, heading, hint, tuple(_permission(s) for s in scopes if s.sensitivity == sensitivity))
        for sensitivity, heading, hint in headings
    )
    return tuple(group for group in groups if group.permissions)


def _permission(scope: Scope) -> Permission:
    return Permission(
        name=scope.name,
        title=scope.local_title,
        description=scope.local_description,
        # What only reads starts ticked; whatever acts needs a tick of its own.
        checked=scope.sensitivity == "normal",
    )
