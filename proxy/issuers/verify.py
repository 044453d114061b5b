"""An external token, from its text to the person it speaks for."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from audit.ledger.events import UserRef
from oauth_provider.identities.known import KnownPerson, known_person
from proxy.catalogue.issuer_plan import IssuerPlan, Issuers
from proxy.issuers import checks
from proxy.issuers.compact import Unverified, read
from proxy.issuers.jwks import PublicKey
from proxy.issuers.keeper import KeyKeeper
from proxy.issuers.refused import InvalidExternalToken
from proxy.issuers.subject import Subject, subject_of


@dataclass(frozen=True, slots=True)
class VerifiedExternal:
    """What a good token says. `audiences` are those of its own that staff configured, maybe none."""

    issuer: IssuerPlan
    user: UserRef
    subject: Subject
    audiences: tuple[str, ...]
    expires_at: float
    fingerprint: str


class ExternalTokens:
    """Verifies the tokens of every registered issuer."""

    def __init__(self, keeper: KeyKeeper, *, find_person: Callable[[str], KnownPerson | None] = known_person) -> None:
        self._keeper = keeper
        self._find_person = find_person

    async def verify(self, compact: str, issuers: Issuers, *, pool: Executor) -> VerifiedExternal:
        """The token's claims once everything holds but its audience; the signature is computed in `pool`.

        Raises:
            InvalidExternalToken: it opens nothing.
            KeysUnavailable: its issuer's keys cannot be had.
            DatabaseError: nobody can say whether the person may act.
        """
        token = read(compact)
        issuer = issuers.get(token.issuer)
        if issuer is None:
            raise InvalidExternalToken("unknown_issuer")
        checks.check_header(token)
        checks.check_kind(token)
        checks.check_algorithm(token, issuer)
        # Before any key is asked for: what has expired makes nobody fetch anything
        checks.check_end(token, time.time())
        key = await self._keeper.key(issuer, kid=token.key_id, algorithm=token.algorithm)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, self._verified, compact, token, issuer, key)

    def _verified(self, compact: str, token: Unverified, issuer: IssuerPlan, key: PublicKey) -> VerifiedExternal:
        checks.check_signature(token, key)
        now = time.time()
        expires_at = checks.check_end(token, now)
        checks.check_begin(token, now)
        audiences = checks.audiences(token, issuer)
        subject = subject_of(token, issuer)
        return VerifiedExternal(
            issuer=issuer,
            user=self._user(issuer, subject),
            subject=subject,
            audiences=audiences,
            expires_at=expires_at,
            fingerprint=hashlib.sha256(compact.encode("ascii")).hexdigest()[:16],
        )

    def _user(self, issuer: IssuerPlan, subject: Subject) -> UserRef:
        person = self._find_person(subject.user)
        if person is not None and not person.is_active:
            raise InvalidExternalToken("inactive_user")
        user_id = person.user_id if person else _outside_id(issuer, subject)
        return UserRef(user_id=user_id, external_id=subject.user)


def _outside_id(issuer: IssuerPlan, subject: Subject) -> int:
    """A number for somebody without an account, the same every time; below zero, where no account is."""
    digest = hashlib.sha256(f"{issuer.issuer}\n{subject.user}".encode()).digest()
    return -1 - (int.from_bytes(digest[:8]) >> 1)
