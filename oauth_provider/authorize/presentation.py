"""The consent page as data: exactly what a person reads, and its digest."""

import hashlib
import json
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import get_language, get_supported_language_variant, ngettext
from django.utils.translation import gettext as _

from oauth_provider.authorize.durations import DEFAULT, Duration
from oauth_provider.authorize.permissions import Group, asked_groups, granted_group, kept_titles
from oauth_provider.authorize.redirects import Destination, describe
from oauth_provider.authorize.run import Acceptable
from oauth_provider.clients.models import Client, Origin, Trust
from oauth_provider.connections.models import Connection
from oauth_provider.device.notice import DeviceNotice

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Choice:
    """One duration."""

    value: str
    words: str
    checked: bool


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """What is shown; ``digest`` is kept with the connection, and in its event, as the record of the words.

    ``groups`` is what is new, ``granted`` what the person gave before and is asked for again, ``kept`` the titles of
    what she gave before and this request leaves alone.
    """

    client_name: str
    platform: str
    trust: str
    trust_words: str
    heading: str
    introduction: str
    groups: tuple[Group, ...]
    granted: Group | None
    kept: tuple[str, ...]
    durations: tuple[Choice, ...]
    destination: Destination
    return_words: str
    return_note: str
    # The host of the document that describes the client; "" for a client without one
    described_at: str
    # What a person must know about a client that returns only to programs on her own computer
    local_only: str
    locale: str
    device: DeviceNotice | None = None

    @property
    def digest(self) -> str:
        """Hex SHA-256 over the canonical JSON of the page."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def present(acceptable: Acceptable, held: Connection | None = None, device: DeviceNotice | None = None) -> ConsentPage:
    """Put a request into words, in the active language.

    ``held`` is the person's live connection it would renew; ``device`` is what to say of a device that asks.
    """
    client = acceptable.answerable.client
    destination = describe(acceptable.answerable.redirect_uri)
    given = held.scope_set if held else frozenset()
    return ConsentPage(
        client_name=client.name or client.client_id,
        platform=platform_name(),
        trust=_trust(client, destination),
        trust_words=_trust_words(client, destination),
        heading=_heading(acceptable, given),
        introduction=_("Only what is ticked is allowed. You can stop it at any time in Connected apps."),
        groups=asked_groups(scope for scope in acceptable.scopes if scope.name not in given),
        granted=granted_group(scope for scope in acceptable.scopes if scope.name in given),
        kept=kept_titles(given - {scope.name for scope in acceptable.scopes}),
        durations=_durations(held, client),
        destination=destination,
        return_words=_return_words(destination),
        return_note=_return_note(destination),
        described_at=_described_at(client),
        local_only=_local_only(client),
        locale=get_language() or settings.LANGUAGE_CODE,
        device=device,
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


def _trust(client: Client, destination: Destination) -> str:
    # Who may also come without its key proves itself by where the answer goes, and that is its own place or nobody's
    is_free = client.trust == Trust.PROVEN and not client.is_confidential and destination.kind != "web"
    return Trust.CLAIMED.value if is_free else client.trust


def _trust_words(client: Client, destination: Destination) -> str:
    domain = _domain(client, destination)
    words = {
        "verified": _("Verified by %(platform)s."),
        "proven": _("Identity proven by %(domain)s.") if domain else _("Its identity is proven by its own domain."),
        "claimed": _("Claims to be from %(domain)s, which %(platform)s has not checked.")
        if domain
        else _("It claims an identity that %(platform)s has not checked."),
    }
    unverified = _("Unverified: %(platform)s does not know who runs this application.")
    return words.get(_trust(client, destination), unverified) % {"platform": platform_name(), "domain": domain}


def _domain(client: Client, destination: Destination) -> str:
    # The one its identifier is an address of, else the one it returns to; a program on this device has none
    if client.client_id.startswith("https://"):
        return urlsplit(client.client_id).hostname or ""
    return destination.host if destination.kind == "web" else ""


def _described_at(client: Client) -> str:
    return urlsplit(client.client_id).hostname or "" if client.origin == Origin.DOCUMENT else ""


def _local_only(client: Client) -> str:
    """MCP authorization 2026-07-28: whoever copies the client id of such a client looks exactly like it."""
    uris = client.redirect_uris.split()
    if client.origin != Origin.DOCUMENT or any(describe(uri).kind != "loopback" for uri in uris):
        return ""
    return _(
        "Nobody can check that it really is “%(client)s”: it returns only to programs on a computer, and any of them "
        "can call itself that."
    ) % {"client": client.name}


def _heading(acceptable: Acceptable, given: frozenset[str]) -> str:
    if not given:
        return _("It will be able to")
    if all(scope.name in given for scope in acceptable.scopes):
        return _("It asks again for what you already allowed")
    return _("It now also asks to")


def _durations(held: Connection | None, client: Client) -> tuple[Choice, ...]:
    # Who chose "until I revoke it" before is not asked to choose it again
    checked = Duration.UNTIL_REVOKED if held and held.expires_at is None else DEFAULT
    return tuple(Choice(each.value, _duration_words(each, client), each is checked) for each in Duration)


def _duration_words(duration: Duration, client: Client) -> str:
    if duration is not Duration.UNTIL_REVOKED:
        return str(duration.words)
    days = client.refresh_token_absolute_lifetime_s // SECONDS_PER_DAY
    # Its refresh tokens end then, whatever was chosen, and it has to ask again
    at_most = ngettext("at most %(days)s day at a time", "at most %(days)s days at a time", days) % {"days": days}
    return f"{duration.words} ({at_most})"


def _return_words(destination: Destination) -> str:
    words = {
        "loopback": _("You will be returned to an application on this computer:"),
        "app": _("You will be returned to the application that this device opens for:"),
    }
    return words.get(destination.kind, _("You will be returned to"))


def _return_note(destination: Destination) -> str:
    notes = {
        "loopback": _(
            "Allow only if you have just started this yourself in a program on this computer: any program here can use "
            "this address."
        ),
        "app": _(
            "Allow only if you have just started this yourself in that application: any application on this device can "
            "claim this address."
        ),
    }
    return notes.get(destination.kind, "")
