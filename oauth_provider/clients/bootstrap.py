"""The client that a deployment's environment describes."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.clients.models import CHATGPT_ACTION_CALLBACK, Client, ClientSecret, Origin, Preset, Trust
from oauth_provider.clients.redirect_uris import check_redirect_uris
from oauth_provider.clients.secrets import MIN_LENGTH, digest, store_secret
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.bump import bump
from oauth_provider.scopes.live import scopes_of_apis

DEFAULT_RESOURCE = "/api/v1/gpt"
REASON = "environment"


@transaction.atomic
def bootstrap_client(*, client_id: str, secret: str, redirect_uris: list[str]) -> Client:
    """Create the client, or bring the existing one in line; running it twice changes nothing.

    A new one may ask for every scope that is enabled now; what staff change later stays. A new secret replaces
    the one before. Without `redirect_uris` those staff entered stay: a GPT's callback is known only after its
    editor saved the Action.

    Raises:
        ValidationError: a redirect URI cannot be registered, or the secret is too short to be random.
    """
    check_redirect_uris(redirect_uris, public=False)
    if len(secret) < MIN_LENGTH and not settings.DEBUG:
        raise ValidationError(_("OAUTH_CLIENT_SECRET must have at least %(n)s characters.") % {"n": MIN_LENGTH})
    client: Client | None = Client.objects.select_for_update().filter(client_id=client_id).first()
    if client is None:
        client = _create(client_id, redirect_uris)
        _replace_secret(client, secret)
        return client
    changed: tuple[str, ...] = ()
    if redirect_uris and client.redirect_uris.split() != redirect_uris:
        changed = _send_back_to(client, redirect_uris)
    if _replace_secret(client, secret):
        changed += ("secret",)
    if changed:
        record(
            kind=Kind.ADMIN_OBJECT_CHANGED,
            client_id=client_id,
            target=f"client:{client_id}",
            reason=REASON,
            fields=changed,
        )
        bump("revocation")
    return client


def _create(client_id: str, redirect_uris: list[str]) -> Client:
    is_gpt = _are_of_a_gpt(redirect_uris)
    client = Client(
        client_id=client_id,
        name="ChatGPT" if is_gpt else client_id,
        preset=Preset.GPT if is_gpt else Preset.OTHER,
        client_type=Client.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        redirect_uris=" ".join(redirect_uris),
        allowed_scopes=" ".join(scopes_of_apis()),
        default_resource=DEFAULT_RESOURCE if Resource.objects.filter(path=DEFAULT_RESOURCE).exists() else "",
        allow_json_token_requests=is_gpt,
        trust=Trust.VERIFIED,
        origin=Origin.ENVIRONMENT,
        hash_client_secret=False,
    )
    client.save()
    record(kind=Kind.ADMIN_OBJECT_ADDED, client_id=client_id, target=f"client:{client_id}", reason=REASON)
    return client


def _send_back_to(client: Client, redirect_uris: list[str]) -> tuple[str, ...]:
    """Change the redirect URIs, and with them whether this is a GPT; the names of what changed."""
    values = {"redirect_uris": " ".join(redirect_uris)}
    if client.preset in (Preset.GPT, Preset.OTHER):
        values["preset"] = Preset.GPT if _are_of_a_gpt(redirect_uris) else Preset.OTHER
    changed = tuple(name for name, value in values.items() if getattr(client, name) != value)
    for name, value in values.items():
        setattr(client, name, value)
    if "preset" in changed:
        client.allow_json_token_requests = client.preset == Preset.GPT
    client.save(update_fields=[*values, "allow_json_token_requests", "updated"])
    return changed


def _are_of_a_gpt(redirect_uris: list[str]) -> bool:
    # None at all is a GPT that waits for its callback; it is exempt from nothing until it has one
    return all(CHATGPT_ACTION_CALLBACK.fullmatch(uri) for uri in redirect_uris)


def _replace_secret(client: Client, secret: str) -> bool:
    live = ClientSecret.objects.filter(client=client, retired_at=None)
    if live.filter(digest=digest(secret)).exists():
        return False
    live.update(retired_at=timezone.now())
    # A value used before comes back to life instead of twice
    if not ClientSecret.objects.filter(client=client, digest=digest(secret)).update(retired_at=None):
        store_secret(client=client, secret=secret, actor=None)
    return True
