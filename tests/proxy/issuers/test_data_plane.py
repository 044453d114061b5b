"""Calls with somebody else's tokens, through the whole data plane, the keys fetched over HTTP."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth_provider.identities.deactivate import deactivate_user, reactivate_user
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity
from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_backend, save_operation
from proxy.issuers import checks
from proxy.issuers.compact import Unverified
from proxy.issuers.jwks import PublicKey
from proxy.issuers.models import Issuer
from proxy.issuers.save import remove_issuer, save_issuer
from tests.proxy.asgi_client import Exchange
from tests.proxy.committed import committed, db
from tests.proxy.issuers.idp import AUDIENCE, SUBJECT, Idp, claims, idp, rsa, sign
from tests.proxy.plane import Road, plane, recorder, road, stored, upstream
from tests.proxy.world import JOBS, Stored, bearer, events, subject_of
from tests.tcp_server import HOST

__all__ = ["committed", "db", "plane", "recorder", "road", "stored", "upstream"]

OUTSIDE = "/api/v1/outside"


@pytest.fixture(scope="module")
def clerk(stored: Stored) -> Iterator[Idp]:
    """An issuer that is registered, and a backend that asks for its tokens."""
    with idp() as running:
        Scope.objects.get_or_create(name="jobs:off", title="Off", enabled=False)
        backend = Backend(
            name="outside", prefix=OUTSIDE, upstream_url=f"http://{HOST}:{stored.port}/outside", allow_private=True,
            auth_mode="issuer", identity_headers=["X-Clerk-User-Id"],
        )  # fmt: skip
        save_backend(backend=backend, actor=None)
        for name, path, scopes in (
            ("read", "/jobs", ["jobs:read"]),
            ("free", "/free", []),
            ("off", "/off", ["jobs:off"]),
        ):
            row = Operation(backend=backend, operation_id=name, methods=["GET"], path=path, scopes=scopes)
            save_operation(operation=row, actor=None)
        save_issuer(issuer=registered(running), actor=None)
        yield running


def registered(running: Idp, name: str = "clerk", **changes: Any) -> Issuer:
    """The row of an issuer."""
    fields: dict[str, Any] = {
        "name": name, "issuer": running.issuer, "audience": AUDIENCE, "jwks_url": running.jwks_url,
        "algorithms": ["RS256"], "allow_private": True,
        "claims": {"tenant": "o.id", "roles": "o.rol"},
    }  # fmt: skip
    return Issuer(**(fields | changes))


async def told(road: Road, token: str, path: str = "/jobs") -> Exchange:
    """The answer to a call with `token`."""
    return await road.call("GET", f"{OUTSIDE}{path}", bearer(token))


async def refused(road: Road, token: str, path: str = "/jobs") -> str:
    """The reason of a 401, as the ledger has it; fails when the call was not refused, or its challenge is wrong."""
    before = len(road.upstream.arrived)
    heard = await told(road, token, path)
    assert (heard.status, len(road.upstream.arrived)) == (401, before), heard.body
    assert heard.json()["error"] == "invalid_token"
    metadata = f'resource_metadata="{settings.PUBLIC_BASE_URL}/.well-known/oauth-protected-resource{OUTSIDE}"'
    assert heard.header("www-authenticate").startswith(f"Bearer {metadata}, ")
    assert 'error="invalid_token"' in heard.header("www-authenticate")
    (event,) = await events(heard.request_id)
    return event.reason


async def in_thread(function: Any, **arguments: Any) -> None:
    """Do something to the database, as a request of staff would."""

    def run() -> None:
        try:
            function(**arguments)
        finally:
            connections.close_all()

    await asyncio.to_thread(run)


async def test_a_good_token_carries_the_call_as_its_user(clerk: Idp, road: Road) -> None:
    token = clerk.token(o={"id": "org_1", "rol": ["admin", "site, one"]}, scope="jobs:read jobs:off other")
    evil = [("x-user-id", "evil"), ("x-roles", "evil"), ("x-tenant-id", "evil"), ("x-clerk-user-id", "evil")]
    heard = await road.call("GET", f"{OUTSIDE}/jobs", bearer(token), *evil)
    assert heard.status == 200, heard.body
    sent = road.upstream.arrived[-1]
    assert [sent.header(name) for name in ("x-user-id", "x-clerk-user-id")] == [SUBJECT, SUBJECT]
    assert (sent.header("x-tenant-id"), sent.header("x-roles")) == ("org_1", "admin,site%2C%20one")
    assert (sent.header("x-scopes"), sent.values("authorization")) == ("jobs:read", [])
    assert sent.header("x-client-id") == "iss:clerk:https://app.example.com"
    assert token not in sent.head.decode()
    claims = jwt.decode(sent.header("x-gateway-identity"), _signing_key(road), algorithms=["ES256"]).claims
    assert (claims["sub"], claims["tenant"], claims["roles"]) == (SUBJECT, "org_1", ["admin", "site, one"])
    (event,) = await events(heard.request_id)
    assert (event.scopes, event.decision, event.client_id) == (
        "jobs:read",
        "allow",
        "iss:clerk:https://app.example.com",
    )
    assert event.subject
    assert len(event.token) == 16


def _signing_key(road: Road) -> Any:
    key = road.plane.watcher.snapshot.signing_key
    assert key is not None
    return ECKey.import_key(key.private)


async def test_what_a_token_may_do_is_what_it_says_and_staff_enabled(clerk: Idp, road: Road) -> None:
    for scope, path, status in (
        (None, "/free", 200), (None, "/jobs", 403), ("openid", "/jobs", 403), ("jobs:off", "/off", 403),
    ):  # fmt: skip
        heard = await told(road, clerk.token(scope=scope), path)
        assert heard.status == status, (scope, path)
        if status == 403:
            challenge = heard.header("www-authenticate")
            assert 'error="insufficient_scope"' in challenge
            assert "resource_metadata=" in challenge


async def test_nothing_is_asked_for_a_credential_as_everywhere(clerk: Idp, road: Road) -> None:
    heard = await road.call("GET", f"{OUTSIDE}/jobs")
    assert (heard.status, "error=" in heard.header("www-authenticate")) == (401, False)
    assert 'scope="jobs:read"' in heard.header("www-authenticate")
    in_query = await road.call("GET", f"{OUTSIDE}/jobs?access_token={clerk.token()}")
    assert (in_query.status, in_query.json()["error"]) == (401, "invalid_request")


async def test_our_own_tokens_open_nothing_there_and_theirs_nothing_here(clerk: Idp, road: Road) -> None:
    assert await refused(road, road.stored.read) == "malformed"
    heard = await road.call("GET", f"{JOBS}/jobs/7", bearer(clerk.token(aud=f"{settings.PUBLIC_BASE_URL}{JOBS}")))
    assert heard.status == 401


async def test_what_this_server_signs_is_no_external_token(clerk: Idp, road: Road) -> None:
    key = _signing_key(road)
    for issuer in (settings.PUBLIC_BASE_URL, clerk.issuer):
        for kind in ("at+jwt", "JWT"):
            header = {"alg": "ES256", "typ": kind, "kid": key.kid}
            token = sign(key, header, claims(issuer, aud=f"{settings.PUBLIC_BASE_URL}{OUTSIDE}"))
            reason = await refused(road, token)
            assert reason == ("unknown_issuer" if issuer == settings.PUBLIC_BASE_URL else "algorithm_refused")


async def test_an_audience_that_is_a_resource_of_ours_opens_that_one_alone(clerk: Idp, road: Road) -> None:
    own = f"{settings.PUBLIC_BASE_URL}{OUTSIDE}"
    other = f"{settings.PUBLIC_BASE_URL}/api/v1/open"
    issuer = await asyncio.to_thread(Issuer.objects.get, name="clerk")
    issuer.audience = [AUDIENCE, own, other]
    await in_thread(save_issuer, issuer=issuer, actor=None)
    try:
        assert (await told(road, clerk.token(aud=own))).status == 200
        assert (await told(road, clerk.token(aud=["x", AUDIENCE]))).status == 200
        assert await refused(road, clerk.token(aud=other)) == "wrong_audience"
        assert await refused(road, clerk.token(aud=f"{own}/")) == "wrong_audience"
        assert await refused(road, clerk.token(aud=None)) == "wrong_audience"
        assert await refused(road, clerk.token(aud=[])) == "wrong_audience"
    finally:
        issuer.audience = AUDIENCE
        await in_thread(save_issuer, issuer=issuer, actor=None)


async def test_a_deactivated_person_of_ours_is_refused_at_once(clerk: Idp, road: Road) -> None:
    person = await asyncio.to_thread(User.objects.create, username="clara")
    await in_thread(Identity.objects.create, user=person, external_id="user_2clara")
    token = clerk.token(sub="user_2clara")
    assert (await told(road, token)).status == 200
    actor = await asyncio.to_thread(user_ref, person)
    await in_thread(deactivate_user, user=person, actor=actor, reason="left")
    assert await refused(road, token) == "inactive_user"
    await in_thread(reactivate_user, user=person, actor=actor, reason="back")
    assert (await told(road, token)).status == 200
    seen = await told(road, token)
    (event,) = await events(seen.request_id)
    assert event.subject == await subject_of("user_2clara")


async def test_a_disabled_issuer_counts_no_more_at_once(clerk: Idp, road: Road) -> None:
    token = clerk.token()
    assert (await told(road, token)).status == 200
    issuer = await asyncio.to_thread(Issuer.objects.get, name="clerk")
    issuer.enabled = False
    await in_thread(save_issuer, issuer=issuer, actor=None)
    assert await refused(road, token) == "unknown_issuer"
    issuer.enabled = True
    await in_thread(save_issuer, issuer=issuer, actor=None)
    assert (await told(road, token)).status == 200


async def test_a_signature_is_computed_once_in_five_seconds(
    clerk: Idp, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    real = checks.check_signature

    def counted(token: Unverified, key: PublicKey) -> None:
        computed.append(key)
        real(token, key)

    monkeypatch.setattr(checks, "check_signature", counted)
    # The first reading may make a signing key; the second, which forgets who called before, must not come in between
    await in_thread(road.plane.watcher.refresh)
    token = clerk.token()
    for _call in range(10):
        assert (await told(road, token)).status == 200
    assert len(computed) == 1


async def test_where_both_are_asked_for_both_are_named(clerk: Idp, road: Road) -> None:
    """The backend's own mode first: clients take the first server that they find."""
    for name, mode, other in (("mixed", "issuer", "oauth"), ("mixed-too", "oauth", "issuer")):
        backend = Backend(name=name, prefix=f"/api/v1/{name}", upstream_url="https://mixed.example", auth_mode=mode)
        await in_thread(save_backend, backend=backend, actor=None)
        row = Operation(backend=backend, operation_id="x", methods=["GET"], path="/x", auth_mode=other)
        await in_thread(save_operation, operation=row, actor=None)
        document = (await road.call("GET", f"/.well-known/oauth-protected-resource/api/v1/{name}")).json()
        servers = [clerk.issuer, settings.PUBLIC_BASE_URL]
        assert document["authorization_servers"] == (servers if mode == "issuer" else servers[::-1])


async def test_a_token_is_remembered_no_longer_than_it_lives(clerk: Idp, road: Road) -> None:
    token = clerk.token(exp=time.time() + 1.5)
    assert (await told(road, token)).status == 200
    await asyncio.sleep(1.6)
    assert await refused(road, token) == "expired"


async def test_an_issuer_that_never_answered_is_503_and_not_401(clerk: Idp, road: Road) -> None:
    with idp() as silent:
        silent.status = 500
        row = registered(silent, "silent")
        await in_thread(save_issuer, issuer=row, actor=None)
        try:
            heard = await told(road, silent.token())
            assert (heard.status, heard.json()["error"]) == (503, "temporarily_unavailable")
            assert 1 <= int(heard.header("retry-after")) <= 5
            (event,) = await events(heard.request_id)
            assert (event.reason, event.decision) == ("issuer_keys_unavailable", "error")
            # Whatever the others do, this one is asked no more often
            for _call in range(50):
                assert (await told(road, silent.token(header={"kid": f"k{_call}"}))).status == 503
            assert len(silent.requests) == 1
        finally:
            await in_thread(remove_issuer, issuer=row, actor=None, note="over")


async def test_random_keys_make_nobody_fetch(clerk: Idp, road: Road) -> None:
    assert (await told(road, clerk.token())).status == 200
    before = len(clerk.requests)
    stranger = rsa("x")
    tokens = [clerk.token(stranger, header={"kid": f"random-{number}"}) for number in range(20)]
    heard = await asyncio.gather(*(told(road, token) for token in tokens))
    assert {each.status for each in heard} == {401}
    assert len(clerk.requests) == before


async def test_the_first_call_finds_the_keys(clerk: Idp, road: Road) -> None:
    before = len(clerk.requests)
    for _look in range(100):
        states = road.plane.issuer_keys.states(road.plane.watcher.snapshot.issuers.values())
        if all(state.usable for state in states):
            break
        await asyncio.sleep(0.02)
    asked = len(clerk.requests)
    assert asked <= before + 1
    assert (await told(road, clerk.token())).status == 200
    assert len(clerk.requests) == asked


async def test_clients_are_sent_to_the_issuer(clerk: Idp, road: Road) -> None:
    document = (await road.call("GET", f"/.well-known/oauth-protected-resource{OUTSIDE}")).json()
    assert document["authorization_servers"] == [clerk.issuer]
    assert (document["resource"], document["scopes_supported"]) == (
        f"{settings.PUBLIC_BASE_URL}{OUTSIDE}",
        ["jobs:read"],
    )
    ours = (await road.call("GET", f"/.well-known/oauth-protected-resource{JOBS}")).json()
    assert ours["authorization_servers"] == [settings.PUBLIC_BASE_URL]
