"""Create a client from a preset."""

from dataclasses import dataclass
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client, Preset, Trust
from oauth_provider.clients.presets import PRESETS, PresetValues, gpt_callbacks
from oauth_provider.clients.redirect_uris import check_redirect_uris
from oauth_provider.clients.secrets import create_secret
from oauth_provider.scopes.live import live_scopes


@dataclass(frozen=True, slots=True)
class Created:
    """The new client and its secret ("" for a public one): show it once, keep it nowhere."""

    client: Client
    secret: str


class Differing(TypedDict, total=False):
    """Fields of a client that its preset decides, unless they are named."""

    client_type: str
    authorization_grant_type: str
    trust: str
    access_token_lifetime_s: int
    refresh_token_lifetime_s: int


@transaction.atomic
def create_client(
    *,
    preset: str,
    name: str,
    scopes: tuple[str, ...],
    actor: UserRef | None,
    redirect_uris: tuple[str, ...] = (),
    gpt: str = "",
    default_resource: str = "",
    default_scopes: tuple[str, ...] = (),
    client_id: str = "",
    note: str = "",
    **differing: Unpack[Differing],
) -> Created:
    """Create a client as its preset says.

    Args:
        scopes: names of what it may ask for; each must exist and be enabled.
        redirect_uris: in addition to the preset's own.
        gpt: for preset gpt: the GPT's id, its URL or a callback from its editor; may follow later.
        default_resource: a resource's path, such as /api/v1/gpt.
        default_scopes: what a request without scope means; empty: those of `scopes` that only read.
        client_id: only when a deployment dictates it; random otherwise.
        note: the reason a person gave.
        differing: what the preset would decide otherwise.

    Raises:
        ValidationError: with a message per field.
    """
    facts = _facts(PRESETS[preset], differing)
    public = facts["client_type"] == Client.CLIENT_PUBLIC
    uris = _checked_uris(preset, redirect_uris, gpt, grant_type=facts["authorization_grant_type"], public=public)
    check_scopes(scopes)
    client = Client(name=name, preset=preset, default_resource=default_resource, hash_client_secret=False, **facts)
    client.redirect_uris, client.allow_json_token_requests = " ".join(uris), PRESETS[preset].allow_json
    client.allowed_scopes, client.default_scopes = " ".join(sorted(scopes)), " ".join(sorted(default_scopes))
    client.client_id = client_id or client.client_id
    client.save()
    _record_added(client, actor, note)
    return Created(client, "" if public else create_secret(client=client, actor=actor))


def _facts(values: PresetValues, differing: Differing) -> Differing:
    decided: Differing = {
        "client_type": values.client_type,
        "authorization_grant_type": values.grant_type,
        "trust": Trust.VERIFIED,
    }
    return {**decided, **differing}


def check_scopes(scopes: tuple[str, ...]) -> None:
    """Each of them must exist and be enabled.

    Raises:
        ValidationError: of `scopes`.
    """
    unknown = set(scopes) - live_scopes(scopes)
    if unknown:
        raise ValidationError({"scopes": _("Unknown or disabled: %(names)s") % {"names": ", ".join(sorted(unknown))}})


def _record_added(client: Client, actor: UserRef | None, note: str) -> None:
    record(
        kind=Kind.ADMIN_OBJECT_ADDED,
        actor=actor,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        scopes=client.allowed_scopes,
        fields=("name", "preset", "redirect_uris", "allowed_scopes", "default_scopes", "default_resource"),
        note=note,
    )


def _checked_uris(preset: str, extra: tuple[str, ...], gpt: str, *, grant_type: str, public: bool) -> tuple[str, ...]:
    try:
        callbacks = gpt_callbacks(gpt) if preset == Preset.GPT else ()
    except ValueError as error:
        raise ValidationError({"gpt": _("This is not a GPT's id, address or callback.")}) from error
    uris = tuple(dict.fromkeys((*PRESETS[preset].redirect_uris, *callbacks, *extra)))
    # A GPT's callback is only known once its editor saved the Action: the client waits for it
    if not uris and preset != Preset.GPT and grant_type == Client.GRANT_AUTHORIZATION_CODE:
        raise ValidationError({"redirect_uris": _("Give at least one address to return to.")})
    check_redirect_uris(list(uris), public=public)
    return uris
