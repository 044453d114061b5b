"""Client secrets: random, hashed with a fast hash, at most two live so that they can be replaced without a pause."""

import hashlib
import hmac
import secrets
import string

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.last_use import note_use
from oauth_provider.revisions.bump import bump

LIVE_SECRETS = 2
# No character that Basic's percent-encoding (RFC 6749 section 2.3.1) could change; 43 of 62 are 256 bits
ALPHABET = string.ascii_letters + string.digits
LENGTH = 43
MIN_LENGTH = 32
_NOBODY = hashlib.sha256(b"no client has this secret").hexdigest()


class SecretRefusedError(Exception):
    """A change of secrets that would leave the client in a state we do not allow."""


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal; enough for 256 random bits, where a slow hash would only slow us down."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def generate_secret() -> str:
    """43 random letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


@transaction.atomic
def create_secret(*, client: Client, actor: UserRef | None, note: str = "") -> str:
    """Give the client one more secret and return it: the only time anyone sees it. `note` says why.

    Raises:
        SecretRefusedError: the client is public, or two secrets are live already.
    """
    locked = Client.objects.select_for_update().get(pk=client.pk)
    if not locked.is_confidential:
        raise SecretRefusedError(_("A public client has no secret."))
    if live_secrets(client=locked) >= LIVE_SECRETS:
        raise SecretRefusedError(_("Two secrets are live already: retire one first."))
    secret = generate_secret()
    store_secret(client=locked, secret=secret, actor=actor, note=note)
    return secret


def store_secret(*, client: Client, secret: str, actor: UserRef | None, note: str = "") -> ClientSecret:
    """Keep the digest of `secret` (from `generate_secret`, or a deployment's environment) for `client`."""
    row = ClientSecret.objects.create(client=client, digest=digest(secret), hint=secret[-4:])
    record(
        kind=Kind.ADMIN_SECRET_CREATED,
        actor=actor,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        note=note,
    )
    return row


@transaction.atomic
def retire_secret(*, secret: ClientSecret, actor: UserRef | None, note: str = "") -> None:
    """Stop accepting a secret at once.

    Raises:
        SecretRefusedError: it is the last live one; suspend the client to stop it altogether.
    """
    client = Client.objects.select_for_update().get(pk=secret.client_id)
    if not ClientSecret.objects.filter(pk=secret.pk, retired_at=None).exists():
        return
    if live_secrets(client=client) <= 1:
        raise SecretRefusedError(_("The last secret cannot be retired: create another first, or suspend the client."))
    ClientSecret.objects.filter(pk=secret.pk, retired_at=None).update(retired_at=timezone.now())
    record(
        kind=Kind.ADMIN_SECRET_RETIRED,
        actor=actor,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        note=note,
    )
    bump("revocation")


def live_secrets(*, client: Client) -> int:
    """How many secrets the client may use now."""
    return ClientSecret.objects.filter(client=client, retired_at=None).count()


def matches(*, client: Client | None, secret: str) -> bool:
    """Whether `secret` is a live one of `client`; None costs the same work and is False.

    Constant time in the secret; notes the use, once a minute at most.
    """
    presented = digest(secret)
    owner = client.pk if client and client.is_confidential else 0
    rows = list(ClientSecret.objects.filter(client_id=owner, retired_at=None))
    found = None
    for row in rows:
        if hmac.compare_digest(presented, row.digest):
            found = row
    if not rows:
        hmac.compare_digest(presented, _NOBODY)
    if found is None:
        return False
    note_use(found, last_used_at=found.last_used_at)
    return True
