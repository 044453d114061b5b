"""The demo's passwords, secrets and key: kept from run to run, made anew when they no longer open anything."""

import secrets
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import salted_hmac

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from gateway_project.demo.data import API_KEY_NAME, SCOPE_NAMES, DemoClient
from gateway_project.demo.facts import Facts
from oauth_provider.api_keys.create import create_api_key
from oauth_provider.api_keys.models import ApiKey
from oauth_provider.api_keys.verify import checksum
from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.clients.secrets import LIVE_SECRETS, create_secret, matches, retire_secret
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity

REASON = "demo"
# Without the characters that are read for one another; 16 of 31 are 79 bits
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_LENGTH = 16


def known_password(facts: Facts, username: str) -> str:
    """The password demo.json has for `username`, "" when it has none."""
    people = [facts.get("staff"), *(facts.get("users") or [])]
    found = [person for person in people if isinstance(person, dict) and person.get("username") == username]
    return str(found[0].get("password", "")) if found else ""


@transaction.atomic
def person(*, username: str, password: str, external_id: str = "", staff: bool = False) -> str:
    """Bring a person into being and return a password that lets them in: `password` if it still does."""
    user, created = User.objects.get_or_create(username=username, defaults={"is_staff": staff, "is_superuser": staff})
    if external_id:
        Identity.objects.get_or_create(user=user, defaults={"external_id": external_id})
    if password and (f"${_salt(password)}$" in user.password or user.check_password(password)):
        return password
    fresh = "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LENGTH))
    user.password = make_password(fresh, salt=_salt(fresh))
    user.save(update_fields=["password"])
    record(
        kind=Kind.ADMIN_OBJECT_ADDED if created else Kind.ADMIN_OBJECT_CHANGED,
        user=user_ref(user),
        target="user",
        fields=("password",),
        reason=REASON,
    )
    return fresh


def _salt(password: str) -> str:
    """The salt of a demo password is made of it: at the next start it shows what the hash was made of.

    Hashing all of them would take more than a second of every start. That is what it takes whoever guesses a chosen
    password; these are random.
    """
    return salted_hmac("gateway_project.demo", password, algorithm="sha256").hexdigest()[:32]


@transaction.atomic
def client(*, wanted: DemoClient, known: dict[str, Any]) -> tuple[Client, str]:
    """The demo client and a secret that proves it ("" for a public one): the known one if it still does."""
    found = _find(wanted, str(known.get("client_id", "")))
    if found is None:
        created = create_client(
            preset=wanted.preset,
            name=wanted.name,
            scopes=wanted.scopes,
            actor=None,
            gpt=wanted.gpt,
            default_resource=wanted.default_resource,
        )
        return created.client, created.secret
    if not found.is_confidential:
        return found, ""
    secret = str(known.get("client_secret", ""))
    return found, secret if matches(client=found, secret=secret) else _replace_secret(found)


@transaction.atomic
def api_key(*, known: str) -> str:
    """An API key that opens the demo: the known one if it still does."""
    row = ApiKey.objects.filter(name=API_KEY_NAME).first()
    if row and known and row.checksum == checksum(known):
        return known
    return create_api_key(name=API_KEY_NAME, scopes=" ".join(SCOPE_NAMES), actor=None)


def _find(wanted: DemoClient, client_id: str) -> Client | None:
    by_id = Client.objects.filter(client_id=client_id).first() if client_id else None
    return by_id or Client.objects.filter(name=wanted.name, preset=wanted.preset).order_by("pk").first()


def _replace_secret(found: Client) -> str:
    """A new secret; those that nobody knows any more are retired."""
    lost = list(ClientSecret.objects.filter(client=found, retired_at=None).order_by("created_at"))
    while len(lost) >= LIVE_SECRETS:
        retire_secret(secret=lost.pop(0), actor=None, note=REASON)
    fresh = create_secret(client=found, actor=None, note=REASON)
    for secret in lost:
        retire_secret(secret=secret, actor=None, note=REASON)
    return fresh
