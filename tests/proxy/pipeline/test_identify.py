"""From a credential to a principal: what counts, how long it is remembered, and what is never a credential."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from django.conf import settings
from django.db import OperationalError

from audit.ledger.events import UserRef
from oauth_provider.api_keys.verify import InvalidApiKey, VerifiedApiKey
from oauth_provider.tokens.verify import InvalidToken, VerifiedToken
from proxy.catalogue.plans import BackendPlan
from proxy.limits.strangers import Strangers
from proxy.limits.table import LimitTable
from proxy.pipeline import identify as stage
from proxy.pipeline.call import Identified, Received
from proxy.pipeline.identify import CACHE_TTL_S, CREDENTIAL_MAX, Identifier
from proxy.refusals import (
    BadRequest,
    InvalidCredential,
    MisplacedCredential,
    MissingCredential,
    NotRegistered,
    Refusal,
    RevocationsUnknown,
    Unauthenticated,
    WrongAudience,
)
from tests.proxy.plans import PREFIX, backend_plan, located, operation_plan, received

TOKEN = "gh_at_ana"
BEARER = ("authorization", f"Bearer {TOKEN}")
METADATA = f"{settings.PUBLIC_BASE_URL}/.well-known/oauth-protected-resource"
CHALLENGE = f'Bearer resource_metadata="{METADATA}{PREFIX}", scope="jobs:read"'
VERIFIED = VerifiedToken(
    user=UserRef(user_id=7, external_id="user_2abc"),
    client_id="client-1",
    scopes=frozenset({"jobs:read"}),
    resources=(f"{settings.PUBLIC_BASE_URL}{PREFIX}",),
    connection="c0ffee",
    expires_at=time.time() + 3600,
    fingerprint="0123456789abcdef",
)


@dataclass
class World:
    """What tokens and keys there are, how often somebody asked, and what of the watcher matters here."""

    tokens: dict[str, VerifiedToken] = field(default_factory=lambda: {TOKEN: VERIFIED})
    keys: dict[str, VerifiedApiKey] = field(default_factory=dict)
    revocation_revision: int = 1
    fresh: bool = True
    asked: list[str] = field(default_factory=list)
    database_is_up: bool = True
    catalogue: int = 1
    limits: LimitTable = field(init=False)
    identifier: Identifier = field(init=False)

    def __post_init__(self) -> None:
        self.limits = LimitTable(max_calls=1000, window_ms=60_000)
        self.identifier = Identifier(
            self,
            verify_token=self.verify_token,
            verify_key=self.verify_key,
            strangers=Strangers(self.limits),
            threads=2,
        )

    def verify_token(self, token: str) -> VerifiedToken:
        """As the token's slice does it."""
        self.asked.append(token)
        if not self.database_is_up:
            raise OperationalError
        if token not in self.tokens:
            raise InvalidToken("unknown")
        return self.tokens[token]

    def verify_key(self, key: str) -> VerifiedApiKey:
        """As the slice of API keys does it."""
        self.asked.append(key)
        if key not in self.keys:
            raise InvalidApiKey("revoked")
        return self.keys[key]

    async def identify(
        self,
        *headers: tuple[str, str],
        path: str = f"{PREFIX}/jobs",
        backend: BackendPlan | None = None,
        **changes: object,
    ) -> Identified:
        """The call with its principal."""
        request: Received = received("GET", path, *headers, **changes)
        return await self.identifier.identify(located(request, backend or backend_plan(), revision=self.catalogue))

    async def refused(self, *headers: tuple[str, str], **changes: object) -> Refusal:
        """The refusal of such a call."""
        with pytest.raises(Refusal) as refusal:
            await self.identify(*headers, **changes)  # type: ignore[arg-type]
        return refusal.value


@pytest.fixture
def world() -> Iterator[World]:
    """Ana's token is the only credential."""
    made = World()
    yield made
    made.identifier.close()


def challenge(refusal: Refusal) -> str:
    """The value of WWW-Authenticate."""
    (value,) = [value for name, value in refusal.headers if name == "www-authenticate"]
    return value


async def test_a_token_leads_to_its_user_client_and_connection(world: World) -> None:
    principal = (await world.identify(BEARER)).principal
    assert (principal.kind, principal.user, principal.client_id) == ("user", VERIFIED.user, "client-1")
    assert (principal.scopes, principal.connection) == (VERIFIED.scopes, "c0ffee")
    assert TOKEN not in repr(principal)


async def test_a_token_without_a_person_is_a_service(world: World) -> None:
    world.tokens[TOKEN] = replace(VERIFIED, user=None)
    principal = (await world.identify(BEARER)).principal
    assert (principal.kind, principal.limit_key) == ("service", "client:client-1")


@pytest.mark.parametrize("value", [f"bearer {TOKEN}", f"BEARER   {TOKEN}"])
async def test_the_scheme_is_read_without_case(world: World, value: str) -> None:
    assert (await world.identify(("authorization", value))).principal.kind == "user"


async def test_no_credential_is_asked_for_one(world: World) -> None:
    refusal = await world.refused()
    assert isinstance(refusal, MissingCredential)
    assert (refusal.status, challenge(refusal)) == (401, CHALLENGE)


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", f"Bearer {TOKEN}, Bearer x", f"Bearer {TOKEN} x", "Bearer \xe9", "Bearer a b",
     f"Bearer\t{TOKEN}", f"Bearer {'a' * CREDENTIAL_MAX}"],
)  # fmt: skip
async def test_a_malformed_credential_is_refused_without_a_lookup(world: World, value: str) -> None:
    refusal = await world.refused(("authorization", value))
    assert isinstance(refusal, InvalidCredential)
    assert challenge(refusal) == f'{CHALLENGE}, error="invalid_token"'
    assert world.asked == []


@pytest.mark.parametrize("value", ["", "Basic YTpi", TOKEN, f"DPoP {TOKEN}", f"Bearers {TOKEN}"])
async def test_another_scheme_is_refused_without_an_error_code(world: World, value: str) -> None:
    refusal = await world.refused(("authorization", value))
    assert isinstance(refusal, MissingCredential)
    assert (refusal.status, refusal.reason, challenge(refusal)) == (401, "malformed", CHALLENGE)
    assert world.asked == []


async def test_why_a_token_opens_nothing_is_for_the_ledger_only(world: World) -> None:
    refusal = await world.refused(("authorization", "Bearer gh_at_other"))
    assert isinstance(refusal, InvalidCredential)
    assert refusal.reason == "unknown"
    assert challenge(refusal) == f'{CHALLENGE}, error="invalid_token"'
    assert "unknown, expired or revoked" in refusal.detail


@pytest.mark.parametrize(
    "resources", [(), (f"{settings.PUBLIC_BASE_URL}/mcp",), (f"{settings.PUBLIC_BASE_URL}{PREFIX}/",)]
)
async def test_a_token_for_another_resource_is_refused(world: World, resources: tuple[str, ...]) -> None:
    world.tokens[TOKEN] = replace(VERIFIED, resources=resources)
    refusal = await world.refused(BEARER)
    assert isinstance(refusal, WrongAudience)
    assert (refusal.status, refusal.error, refusal.reason) == (401, "invalid_token", "wrong_audience")


async def test_one_of_several_audiences_is_enough(world: World) -> None:
    world.tokens[TOKEN] = replace(VERIFIED, resources=("https://other.example", *VERIFIED.resources))
    await world.identify(BEARER)


@pytest.mark.parametrize(
    "query",
    [
        b"access_token=x",
        b"a=b&access_token=",
        b"%61ccess_token=x",
        b"ACCESS_TOKEN=x",
        b"access_token",
        b"a&access%5Ftoken=x",
    ],
)
@pytest.mark.parametrize("headers", [(), (BEARER,)])
async def test_a_token_in_the_query_is_refused(
    world: World, query: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    """RFC 6750 section 2: one method only; beside the header it would travel on to the backend."""
    refusal = await world.refused(*headers, query=query)
    assert isinstance(refusal, MisplacedCredential)
    assert (refusal.status, refusal.error) == (401, "invalid_request")
    assert challenge(refusal) == CHALLENGE


async def test_other_parameters_are_nobodys_business(world: World) -> None:
    await world.identify(BEARER, query=b"token=x&access_tokens=y&q=access_token")


async def test_two_authorizations_are_none(world: World) -> None:
    assert isinstance(await world.refused(BEARER, BEARER), BadRequest)


@pytest.mark.parametrize("header", [("cookie", f"sessionid={TOKEN}"), ("x-api-key", TOKEN), ("x-access-token", TOKEN)])
async def test_nothing_but_authorization_carries_a_token(world: World, header: tuple[str, str]) -> None:
    assert isinstance(await world.refused(header), MissingCredential)


# Remembering


async def test_a_caller_is_looked_up_once(world: World) -> None:
    for _call in range(3):
        await world.identify(BEARER)
    assert world.asked == [TOKEN]


async def test_a_caller_is_remembered_for_five_seconds_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.identify(BEARER)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + CACHE_TTL_S + 0.01)
    await world.identify(BEARER)
    assert len(world.asked) == 2
    assert CACHE_TTL_S <= 5


async def test_a_revocation_makes_everybody_be_looked_up_again(world: World) -> None:
    await world.identify(BEARER)
    del world.tokens[TOKEN]
    world.revocation_revision += 1
    assert isinstance(await world.refused(BEARER), InvalidCredential)


async def test_so_does_a_change_of_the_catalogue(world: World) -> None:
    await world.identify(BEARER)
    world.catalogue += 1
    await world.identify(BEARER)
    assert len(world.asked) == 2


async def test_a_revocation_during_the_lookup_is_not_missed(world: World) -> None:
    def look_up(token: str) -> VerifiedToken:
        found = world.verify_token(token)
        del world.tokens[token]
        world.revocation_revision += 1
        return found

    world.identifier.close()
    world.identifier = Identifier(world, verify_token=look_up)
    await world.identify(BEARER)
    assert isinstance(await world.refused(BEARER), InvalidCredential)


async def test_a_token_that_expires_while_it_is_remembered_is_refused(world: World) -> None:
    world.tokens[TOKEN] = replace(VERIFIED, expires_at=time.time() + 0.3)
    await world.identify(BEARER)
    await asyncio.sleep(0.31)
    refusal = await world.refused(BEARER)
    assert (refusal.status, refusal.reason) == (401, "expired")


async def test_a_refusal_is_not_remembered(world: World) -> None:
    del world.tokens[TOKEN]
    await world.refused(BEARER)
    world.tokens[TOKEN] = VERIFIED
    await world.identify(BEARER)


async def test_the_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CACHE_MAX", 3)
    for number in range(10):
        world.tokens[f"gh_at_{number}"] = VERIFIED
        await world.identify(("authorization", f"Bearer gh_at_{number}"))
    assert len(world.identifier._cache) <= 3  # noqa: SLF001 - its size is the point


async def test_nobody_is_trusted_while_revocations_are_unknown(world: World) -> None:
    await world.identify(BEARER)
    world.fresh = False
    refusal = await world.refused(BEARER)
    assert isinstance(refusal, RevocationsUnknown)
    assert (refusal.status, dict(refusal.headers)["retry-after"]) == (503, "1")


async def test_a_lost_database_lets_nobody_in(world: World) -> None:
    world.database_is_up = False
    refusal = await world.refused(BEARER)
    assert isinstance(refusal, RevocationsUnknown)
    assert refusal.reason == "identity_store_down"


@pytest.mark.django_db
def test_its_threads_give_back_what_they_hold() -> None:
    before = {thread.ident for thread in threading.enumerate()}
    world = World()
    asyncio.run(world.identify(BEARER))
    world.identifier.close()
    assert {thread.ident for thread in threading.enumerate()} <= before


# Nothing registered there


async def test_only_the_identified_learn_that_there_is_no_backend(world: World) -> None:
    anonymous = await world.refused(path="/api/v1/nothing/here")
    assert isinstance(anonymous, MissingCredential)
    assert challenge(anonymous) == f'Bearer resource_metadata="{METADATA}"'
    assert isinstance(await world.refused(BEARER, path="/api/v1/nothing/here"), NotRegistered)


async def test_a_bad_token_learns_nothing_either(world: World) -> None:
    for value in ("Bearer gh_at_other", "Bearer"):
        refusal = await world.refused(("authorization", value), path="/api/v1/nothing")
        assert isinstance(refusal, InvalidCredential)
        assert challenge(refusal) == f'Bearer resource_metadata="{METADATA}", error="invalid_token"'


async def test_an_unknown_path_of_a_backend_asks_for_its_credential(world: World) -> None:
    backend = backend_plan(operations=(("GET", "/jobs", operation_plan(auth_mode="public")),))
    assert isinstance(await world.refused(path=f"{PREFIX}/else", backend=backend), MissingCredential)
    assert (await world.identify(path=f"{PREFIX}/jobs", backend=backend)).principal.kind == "anonymous"


# The other modes


KEYED = backend_plan(auth_mode="api_key", operations=(("GET", "/**", operation_plan(auth_mode="api_key")),))


async def test_an_api_key_is_a_client_without_a_person(world: World) -> None:
    world.keys["k" * 20] = VerifiedApiKey(name="portal", scopes=frozenset({"jobs:read"}))
    principal = (await world.identify(("x-api-key", "k" * 20), backend=KEYED)).principal
    assert (principal.kind, principal.user, principal.client_id) == ("api_key", None, "key:portal")
    assert principal.scopes == {"jobs:read"}
    await world.identify(("x-api-key", "k" * 20), backend=KEYED)
    assert world.asked == ["k" * 20]


@pytest.mark.parametrize(
    "headers",
    [[], [("x-api-key", "unknown")], [("x-api-key", "a"), ("x-api-key", "a")], [("x-api-key", "\xe9")], [BEARER]],
)
async def test_a_missing_or_bad_api_key_is_refused_with_a_challenge(
    world: World, headers: list[tuple[str, str]]
) -> None:
    refusal = await world.refused(*headers, backend=KEYED)
    assert isinstance(refusal, Unauthenticated)
    assert refusal.status == 401
    # RFC 9110 section 15.5.2: a 401 names the scheme; Bearer would send clients to sign in for nothing
    assert challenge(refusal).startswith("ApiKey ")


async def test_a_token_and_a_key_of_the_same_text_are_remembered_apart(world: World) -> None:
    world.keys[TOKEN] = VerifiedApiKey(name="portal", scopes=frozenset())
    assert (await world.identify(BEARER)).principal.kind == "user"
    assert (await world.identify(("x-api-key", TOKEN), backend=KEYED)).principal.kind == "api_key"


@pytest.mark.parametrize("mode", ["passthrough", "public"])
async def test_elsewhere_nobody_is_looked_up(world: World, mode: str) -> None:
    open_backend = backend_plan(auth_mode=mode, operations=(("GET", "/**", operation_plan(auth_mode=mode)),))
    principal = (await world.identify(BEARER, backend=open_backend)).principal
    assert (principal.kind, principal.user, principal.client_id) == ({"public": "anonymous"}.get(mode, mode), None, "")
    assert world.asked == []


async def test_an_unknown_mode_lets_nobody_in(world: World) -> None:
    odd = backend_plan(auth_mode="trust", operations=(("GET", "/**", operation_plan(auth_mode="trust")),))
    assert isinstance(await world.refused(BEARER, backend=odd), NotRegistered)
