"""An access token exchanged for another with at most its scopes and its life (RFC 8693).

The client hands it to a part of itself, or is another one that staff let act in the first one's place. The new token
belongs to the same family, and remembers every token it goes back to: what ends any of them ends it.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from oauth2_provider.models import AccessToken, get_access_token_model, set_token_value

from oauth_provider.clients.models import Client
from oauth_provider.resources.models import Resource
from oauth_provider.resources.registry import find
from oauth_provider.scopes.openid import OPENID_SCOPES
from oauth_provider.tokens.grounds import Grounds, lifetime
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import FamilyToken, TokenAncestor
from oauth_provider.tokens.refusals import InvalidSubjectError
from oauth_provider.tokens.verify import InvalidToken, VerifiedToken, verify_access_token

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant's name
# Longer chains of exchanges are loops
MAX_ANCESTORS = 8


@dataclass(frozen=True, slots=True)
class Subject:
    """An access token that the client may exchange now; `clients` owned it and its ancestors, first to last."""

    row: AccessToken
    owner: int
    verified: VerifiedToken
    ancestors: tuple[TokenAncestor, ...]
    resource: Resource
    scopes: tuple[str, ...]

    @property
    def clients(self) -> tuple[str, ...]:
        """The clients it went through, its own included."""
        return self.verified.clients

    def grounds(self, client: Client) -> Grounds:
        """What a token of `client` made from it stands on."""
        now = timezone.now()
        user = self.verified.user
        ends = datetime.fromtimestamp(self.verified.expires_at, UTC)
        return Grounds(
            audience=self.resource.identifier,
            signed=self.resource.signs_tokens,
            subject=user.external_id if user else self.clients[0],
            issued_at=now,
            expires_at=lifetime(now=now, lifetime_s=client.access_token_lifetime_s, ends=(ends,)),
            actors=self.clients,
        )


def find_subject(*, token: str, client: Client) -> Subject:
    """What the access token stands for, if `client` may exchange it.

    Nothing is locked: a token made from one that ends at this moment opens nothing from its first second on.

    Raises:
        InvalidSubjectError: it opens nothing, or is neither the client's nor of one that it may exchange for.
    """
    try:
        verified = verify_access_token(token)
    except InvalidToken as fault:
        raise InvalidSubjectError(f"subject_{fault.reason}") from fault
    checksum = hashlib.sha256(token.encode()).hexdigest()
    row = get_access_token_model().objects.select_related("user").filter(token_checksum=checksum).first()
    owner = row.application_id if row else None
    if row is None or owner is None or (owner != client.pk and not client.exchanges_for.filter(pk=owner).exists()):
        raise InvalidSubjectError("foreign_subject")
    ancestors = tuple(TokenAncestor.objects.filter(access_token=row).order_by("position"))
    resource = find(verified.resources[0]) if verified.resources else None
    if resource is None or len(ancestors) >= MAX_ANCESTORS:
        raise InvalidSubjectError("no_resource" if resource is None else "too_many_exchanges")
    scopes = tuple(sorted(verified.scopes & client.scope_set - OPENID_SCOPES))
    return Subject(row, owner, verified, ancestors, resource, scopes)


def store_exchanged(*, issued: Issued, client: Client, subject: Subject) -> None:
    """Store the new token of `client` beside the one it was exchanged for."""
    access: AccessToken = get_access_token_model()(
        user=subject.row.user,
        application=client,
        scope=issued.scope,
        expires=issued.expires_at,
        resource=subject.row.resource,
    )
    set_token_value(access, issued.access_token)
    access.save(force_insert=True)
    family = FamilyToken.objects.filter(access_token=subject.row).first()
    if family is not None:
        FamilyToken.objects.create(access_token=access, family_id=family.family_id)
    lineage = [(old.ancestor_id, old.client_id) for old in subject.ancestors]
    lineage.append((subject.row.pk, subject.owner))
    TokenAncestor.objects.bulk_create(
        TokenAncestor(access_token=access, ancestor_id=ancestor, client_id=owner, position=position)
        for position, (ancestor, owner) in enumerate(lineage)
    )
