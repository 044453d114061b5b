"""Identify: from a credential to a principal, or 401. Cookies and queries carry no credential here."""

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Barrier
from typing import Protocol, TypeVar
from urllib.parse import unquote_plus

from django.conf import settings
from django.db import DatabaseError, connection

from oauth_provider.api_keys.verify import InvalidApiKey, VerifiedApiKey, verify_api_key
from oauth_provider.tokens.verify import InvalidToken, VerifiedToken, verify_access_token
from proxy.catalogue.matching import Found
from proxy.catalogue.models import AuthMode
from proxy.catalogue.plans import METADATA_PATH, BackendPlan, OperationPlan, bearer_challenge
from proxy.catalogue.snapshot import Snapshot
from proxy.issuers.compact import MAX_TOKEN as EXTERNAL_MAX
from proxy.issuers.keeper import KeyKeeper
from proxy.issuers.refused import InvalidExternalToken, KeysUnavailable
from proxy.issuers.verify import ExternalTokens
from proxy.limits.strangers import Strangers
from proxy.pipeline.call import Headers, Identified, Located, Principal, ProtectedResource, Received
from proxy.refusals import (
    BadRequest,
    InvalidCredential,
    IssuerUnavailable,
    MisplacedCredential,
    MissingCredential,
    NotRegistered,
    RevocationsUnknown,
    Unauthenticated,
    WrongAudience,
)

CACHE_TTL_S = 5.0
CACHE_MAX = 20_000
CREDENTIAL_MAX = 4096
LEAVE_WITHIN_S = 5.0
# RFC 6750 section 2.1
_BEARER = re.compile(r"\A[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)\Z")
_BEARER_SCHEME = re.compile(r"\Abearer(?:[ \t]|\Z)", re.IGNORECASE)
T = TypeVar("T")


class Revisions(Protocol):
    """What of the watcher decides whether something remembered still counts."""

    @property
    def revocation_revision(self) -> int:
        """Moves whenever something loses access."""
        ...

    @property
    def fresh(self) -> bool:
        """Whether the revision was read recently."""
        ...


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    until: float
    revocation: int
    catalogue: int


class Identifier:
    """Knows callers by their credential and remembers each for five seconds at most, while nothing is revoked."""

    def __init__(
        self,
        revisions: Revisions,
        *,
        verify_token: Callable[[str], VerifiedToken] = verify_access_token,
        verify_key: Callable[[str], VerifiedApiKey] = verify_api_key,
        external: ExternalTokens | None = None,
        strangers: Strangers | None = None,
        threads: int = 8,
    ) -> None:
        self._revisions = revisions
        self._verify_token = verify_token
        self._verify_key = verify_key
        self._external = external or ExternalTokens(KeyKeeper())
        self._strangers = strangers
        self._cache: dict[bytes, _Remembered] = {}
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="identify")

    def close(self) -> None:
        """End the threads, once each has given back the connection it holds."""
        everybody = Barrier(self._threads)

        def leave() -> None:
            everybody.wait(LEAVE_WITHIN_S)
            connection.close()

        for _thread in range(self._threads):
            self._pool.submit(leave)
        self._pool.shutdown()

    def admit_options(self, address: str) -> None:
        """Let an OPTIONS be answered, whoever sends it.

        Raises:
            RateLimited: too many from this address.
        """
        if self._strangers is not None:
            self._strangers.asks_first(address)

    async def identify(self, located: Located) -> Identified:
        """The call with its principal.

        Raises:
            Unauthenticated: no, a misplaced, unknown, expired or revoked credential, or one for another resource.
            NotRegistered: no backend has this path.
            RevocationsUnknown, IssuerUnavailable: nobody can say whether the credential is good.
        """
        backend = located.match.backend
        if backend is None:
            await self._identify_without_backend(located)
            raise NotRegistered(reason="no_backend")
        operation = located.match.result.operation if isinstance(located.match.result, Found) else None
        mode = operation.auth_mode if operation else backend.auth_mode
        principal = await self._by_mode(mode, located, backend, operation)
        return Identified(located=located, backend=backend, principal=principal)

    async def _by_mode(
        self, mode: str, located: Located, backend: BackendPlan, operation: OperationPlan | None
    ) -> Principal:
        scopes = operation.scopes if operation else ()
        match mode:
            case AuthMode.OAUTH:
                named = located.received.named
                return await self.bearer(
                    located.received, located.snapshot, named.resource if named else backend, scopes
                )
            case AuthMode.ISSUER:
                return await self._from_issuer(located, backend, scopes)
            case AuthMode.API_KEY:
                return await self._api_key(located, backend)
            case AuthMode.PASSTHROUGH:
                _authorization(located.received)
                return Principal(kind="passthrough")
            case AuthMode.PUBLIC:
                return Principal(kind="anonymous")
            case _:
                raise NotRegistered(reason="unknown_auth_mode")

    async def bearer(
        self, received: Received, snapshot: Snapshot, resource: ProtectedResource, scopes: tuple[str, ...]
    ) -> Principal:
        """Whose access token `received` shows; the challenge names `scopes`.

        Raises:
            Unauthenticated: none, or one that opens nothing here.
            RevocationsUnknown: nobody can say whether it is good.
        """
        token = self._shown(received, partial(_token, challenge=resource.challenge(scopes)))
        refused = (("www-authenticate", resource.challenge(scopes, "invalid_token")),)
        try:
            principal = await self._remembered(token, received.address, snapshot, self._by_token)
        except InvalidToken as fault:
            raise InvalidCredential(reason=fault.reason, headers=refused) from None
        if resource.resource not in principal.resources:
            raise WrongAudience(headers=refused)
        return principal

    async def _from_issuer(self, located: Located, backend: BackendPlan, scopes: tuple[str, ...]) -> Principal:
        challenge = backend.challenge(scopes)
        token = self._shown(located.received, partial(_token, challenge=challenge, longest=EXTERNAL_MAX))
        refused = (("www-authenticate", backend.challenge(scopes, "invalid_token")),)
        try:
            principal = await self._remembered(token, located.received.address, located.snapshot, self._by_external)
        except (InvalidExternalToken, InvalidToken) as fault:
            raise InvalidCredential(reason=fault.reason, headers=refused) from None
        except KeysUnavailable as fault:
            raise IssuerUnavailable(retry_after_s=fault.retry_after_s) from None
        if not any(_covers(audience, backend) for audience in principal.resources):
            raise WrongAudience(headers=refused)
        return principal

    async def _api_key(self, located: Located, backend: BackendPlan) -> Principal:
        # A 401 needs a challenge (RFC 9110 section 15.5.2); Bearer would make clients sign in for nothing
        challenge = (("www-authenticate", f'ApiKey realm="{backend.resource}"'),)
        key = self._shown(located.received, partial(_key, challenge=challenge))
        try:
            return await self._remembered(key, located.received.address, located.snapshot, self._by_key)
        except InvalidApiKey as fault:
            raise InvalidCredential(reason=fault.reason, headers=challenge) from None

    async def _identify_without_backend(self, located: Located) -> None:
        """404 is for callers who are identified: any live token of this server will do."""
        metadata = f"{settings.PUBLIC_BASE_URL}{METADATA_PATH}"
        token = self._shown(located.received, partial(_token, challenge=bearer_challenge(metadata)))
        try:
            await self._remembered(token, located.received.address, located.snapshot, self._by_token)
        except InvalidToken as fault:
            headers = (("www-authenticate", bearer_challenge(metadata, error="invalid_token")),)
            raise InvalidCredential(reason=fault.reason, headers=headers) from None

    def _shown(self, received: Received, read: Callable[[Received], str]) -> str:
        try:
            return read(received)
        except Unauthenticated:
            if self._strangers is not None:
                self._strangers.shows_nothing(received.address)
            raise

    async def _remembered(
        self,
        credential: str,
        address: str,
        snapshot: Snapshot,
        look_up: Callable[[str, Snapshot], Awaitable[Principal]],
    ) -> Principal:
        if not self._revisions.fresh:
            raise RevocationsUnknown
        # Read before the lookup: a revocation that commits after it makes this entry worthless, never stale
        revocation, catalogue = self._revisions.revocation_revision, snapshot.revision
        key = hashlib.sha256(f"{look_up.__name__}:{credential}".encode()).digest()
        known = self._cache.get(key)
        now = time.monotonic()
        if known and known.until > now and known.revocation == revocation and known.catalogue == catalogue:
            if known.principal.expires_at and known.principal.expires_at <= time.time():
                raise InvalidToken("expired")
            return known.principal
        if known is None and self._strangers is not None:
            self._strangers.admit(address)
        try:
            principal = await look_up(credential, snapshot)
        except DatabaseError:
            raise RevocationsUnknown(reason="identity_store_down") from None
        except (InvalidToken, InvalidApiKey, InvalidExternalToken):
            self._cache.pop(key, None)
            if self._strangers is not None:
                self._strangers.failed(address)
            raise
        if len(self._cache) >= CACHE_MAX:
            self._cache.clear()
        self._cache[key] = _Remembered(principal, now + CACHE_TTL_S, revocation, catalogue)
        return principal

    async def _by_token(self, token: str, _snapshot: Snapshot) -> Principal:
        verified = await asyncio.get_running_loop().run_in_executor(self._pool, self._verify_token, token)
        return Principal(
            kind="user" if verified.user else "service",
            user=verified.user,
            client_id=verified.client_id,
            scopes=verified.scopes,
            resources=verified.resources,
            connection=verified.connection,
            fingerprint=verified.fingerprint,
            expires_at=verified.expires_at,
        )

    async def _by_external(self, token: str, snapshot: Snapshot) -> Principal:
        verified = await self._external.verify(token, snapshot.issuers, pool=self._pool)
        subject, client = verified.subject, verified.subject.client
        return Principal(
            kind="user",
            user=verified.user,
            # Apart from our own clients, whatever an issuer calls its
            client_id=f"iss:{verified.issuer.name}" + (f":{client}" if client else ""),
            scopes=subject.scopes & snapshot.enabled_scopes,
            resources=verified.audiences,
            fingerprint=verified.fingerprint,
            expires_at=verified.expires_at,
            tenant=subject.tenant,
            roles=subject.roles,
        )

    async def _by_key(self, key: str, _snapshot: Snapshot) -> Principal:
        verified = await asyncio.get_running_loop().run_in_executor(self._pool, self._verify_key, key)
        return Principal(
            kind="api_key",
            client_id=f"key:{verified.name}",
            scopes=verified.scopes,
            fingerprint=hashlib.sha256(key.encode()).hexdigest()[:16],
        )


def _covers(audience: str, backend: BackendPlan) -> bool:
    # An audience that names a resource of ours is good for that one alone (RFC 8707); others staff chose for all
    own = backend.resource.removesuffix(backend.prefix)
    return audience == backend.resource or not audience.startswith(f"{own}/")


def _token(received: Received, *, challenge: str, longest: int = CREDENTIAL_MAX) -> str:
    value = _authorization(received)
    if _has_query_token(received.query):
        # Beside a header too (RFC 6750 section 2): the query goes on to the backend as it is
        raise MisplacedCredential(headers=(("www-authenticate", challenge),))
    if value is None:
        raise MissingCredential(headers=(("www-authenticate", challenge),))
    bearer = _BEARER.match(value)
    if bearer is None and not _BEARER_SCHEME.match(value):
        # RFC 6750 section 3.1: whoever used another method is told no error, only which one there is
        raise MissingCredential(reason="malformed", headers=(("www-authenticate", challenge),))
    if bearer is None or len(value) > longest:
        raise InvalidCredential(
            reason="malformed", headers=(("www-authenticate", f'{challenge}, error="invalid_token"'),)
        )
    return bearer.group(1)


def _key(received: Received, *, challenge: Headers) -> str:
    values = [value for name, value in received.headers if name == b"x-api-key"]
    if not values:
        raise MissingCredential("Send an API key in the X-API-Key header.", headers=challenge)
    if len(values) > 1 or len(values[0]) > CREDENTIAL_MAX or not values[0].isascii():
        raise InvalidCredential(reason="malformed", headers=challenge)
    return values[0].decode("ascii")


def _authorization(received: Received) -> str | None:
    values = [value for name, value in received.headers if name == b"authorization"]
    if len(values) > 1:
        raise BadRequest("One Authorization header, please.", reason="two_authorizations")
    return values[0].decode("latin-1") if values else None


def _has_query_token(query: bytes) -> bool:
    if b"%" not in query and b"access_token" not in query.lower():
        return False
    names = (part.partition("=")[0] for part in query.decode("latin-1").split("&"))
    return any(unquote_plus(name).lower() == "access_token" for name in names)
