"""Client secrets: random, hashed, at most two live."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.ledger.kinds import Kind
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.clients.secrets import (
    SecretRefusedError,
    create_secret,
    digest,
    live_secrets,
    matches,
    retire_secret,
)
from oauth_provider.revisions.read import read_all
from tests.staff_browser import last_event

MakeClient = Callable[..., Client]


def test_a_secret_is_letters_and_digits_and_only_its_digest_is_kept(make_client: MakeClient) -> None:
    client = make_client()
    secret = create_secret(client=client, actor=None, note="First")
    assert re.fullmatch(r"[A-Za-z0-9]{43}", secret)
    row = ClientSecret.objects.get()
    assert (row.digest, row.hint) == (digest(secret), secret[-4:])
    assert last_event(kind=Kind.ADMIN_SECRET_CREATED).note == "First"


def test_it_matches_its_client_and_no_other(make_client: MakeClient) -> None:
    client, other = make_client(), make_client()
    secret = create_secret(client=client, actor=None)
    assert matches(client=client, secret=secret)
    assert not matches(client=other, secret=secret)
    assert not matches(client=None, secret=secret)
    assert not matches(client=client, secret=secret[:-1])
    assert not matches(client=client, secret="\udcff")


def test_a_third_and_one_of_a_public_client_are_refused(make_client: MakeClient) -> None:
    client = make_client()
    for _number in range(2):
        create_secret(client=client, actor=None)
    with pytest.raises(SecretRefusedError):
        create_secret(client=client, actor=None)
    with pytest.raises(SecretRefusedError):
        create_secret(client=make_client(client_type=Client.CLIENT_PUBLIC), actor=None)


def test_a_retired_secret_matches_no_more_and_the_last_stays(make_client: MakeClient) -> None:
    client = make_client()
    old, new = create_secret(client=client, actor=None), create_secret(client=client, actor=None)
    before = read_all().get("revocation", 0)
    retire_secret(secret=ClientSecret.objects.get(digest=digest(old)), actor=None, note="Moved")
    assert read_all()["revocation"] > before
    assert [matches(client=client, secret=secret) for secret in (old, new)] == [False, True]
    with pytest.raises(SecretRefusedError):
        retire_secret(secret=ClientSecret.objects.get(digest=digest(new)), actor=None)
    assert live_secrets(client=client) == 1


def test_last_use_is_noted_once_a_minute(make_client: MakeClient) -> None:
    client = make_client()
    secret = create_secret(client=client, actor=None)
    matches(client=client, secret=secret)
    recently = timezone.now() - timedelta(seconds=30)
    ClientSecret.objects.update(last_used_at=recently)
    matches(client=client, secret=secret)
    assert ClientSecret.objects.get().last_used_at == recently
    ClientSecret.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    matches(client=client, secret=secret)
    last_used = ClientSecret.objects.get().last_used_at
    assert last_used is not None
    assert last_used > recently
