"""Put a document in force: the client says of itself what the document says, and the version is kept."""

import json
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.ledger.kinds import Decision, Kind
from audit.ledger.record import record
from oauth_provider.clients.models import Approval, AuthMethod, Client, Origin, Trust
from oauth_provider.registration.documents.models import DocumentVersion, MetadataDocument, Source
from oauth_provider.registration.documents.pinned import pinned_copy
from oauth_provider.registration.documents.read_document import Described
from oauth_provider.registration.fingerprint import fingerprint_of
from oauth_provider.registration.outlived import end_outlived, proof_of
from oauth_provider.registration.policy import check_newcomer, current_policy
from oauth_provider.registration.register import apply
from oauth_provider.registration.scopes import open_scopes
from oauth_provider.revisions.bump import bump

KEPT_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """How the content came here: from where, with which validators, and for how long it counts."""

    source: Source
    fresh_for: timedelta
    etag: str = ""
    last_modified: str = ""


@transaction.atomic
def take_in_new(*, url: str, described: Described, seen: Seen) -> None:
    """Make the client that a document describes, in quarantine until somebody allows it something.

    Raises:
        NotWelcomeError: the policy or the list says no to what the document says.
    """
    fingerprint = fingerprint_of(described.metadata, address=url)
    client = Client(
        client_id=url,
        origin=Origin.DOCUMENT,
        approval=check_newcomer(origin=Origin.DOCUMENT, client_id=url, fingerprint=fingerprint),
        registered_at=timezone.now(),
        authorization_grant_type=Client.GRANT_AUTHORIZATION_CODE,
        default_resource=current_policy().default_resource,
        allowed_scopes=" ".join(open_scopes()),
        hash_client_secret=False,
    )
    _describe(client, described, fingerprint)
    client.save()
    document = MetadataDocument(client=client)
    _note(document, described, seen)
    _keep_version(document, described, seen)
    record(
        kind=Kind.OAUTH_CLIENT_REGISTERED,
        decision=Decision.ALLOW,
        reason="waits_for_approval" if client.approval == Approval.PENDING else "",
        client_id=url,
        target=f"client:{url}",
        scopes=client.allowed_scopes,
        note=f"document {described.digest} fingerprint {fingerprint}",
    )


@transaction.atomic
def take_in_again(*, document: MetadataDocument, described: Described, seen: Seen) -> None:
    """Put the content in force that the document has now, if it is another one.

    What staff found out about the client counted for what it was: when it returns elsewhere, is called otherwise or
    proves itself otherwise, they look again. Connections made under the old words end where these protected them.
    """
    locked = (
        MetadataDocument.objects.select_for_update(of=("self", "client")).select_related("client").get(pk=document.pk)
    )
    client, before = locked.client, proof_of(locked.client)
    changed = locked.digest != described.digest
    _note(locked, described, seen)
    if not changed:
        return
    previous = locked.versions.first()
    _keep_version(locked, described, seen)
    fingerprint = fingerprint_of(described.metadata, address=client.client_id)
    same = fingerprint == client.fingerprint
    _describe(client, described, fingerprint)
    if (same and proof_of(client) == before) and client.trust_reviewed_at is not None:
        client.trust = Client.objects.values_list("trust", flat=True).get(pk=client.pk)
    else:
        client.trust_reviewed_by, client.trust_reviewed_at = None, None
    client.save()
    record(
        kind=Kind.OAUTH_CLIENT_CHANGED,
        decision=Decision.ALLOW,
        client_id=client.client_id,
        target=f"client:{client.client_id}",
        fields=_changed_names(previous.content if previous else "{}", described.content),
        note=f"document {described.digest} fingerprint {fingerprint}",
    )
    end_outlived(client=client, before=before)
    bump("revocation")


def _describe(client: Client, described: Described, fingerprint: str) -> None:
    apply(client, described.metadata, fingerprint)
    signs = described.metadata.auth_method == AuthMethod.PRIVATE_KEY_JWT
    client.client_type = Client.CLIENT_PUBLIC if described.is_public else Client.CLIENT_CONFIDENTIAL
    client.token_endpoint_auth_method = AuthMethod.PRIVATE_KEY_JWT if signs else AuthMethod.ANY
    client.jwks, client.jwks_uri = described.jwks, described.jwks_uri
    client.trust = Trust.PROVEN if signs else Trust.CLAIMED


def _note(document: MetadataDocument, described: Described, seen: Seen) -> None:
    now = timezone.now()
    pinned = pinned_copy(document.client.client_id)
    document.source, document.digest = seen.source, described.digest
    document.etag, document.last_modified = seen.etag, seen.last_modified
    document.fetched_at, document.tried_at, document.fresh_until = now, now, now + seen.fresh_for
    document.failures, document.fault = 0, ""
    document.differs_from_pinned = pinned is not None and pinned.digest != described.digest
    document.save()


def _keep_version(document: MetadataDocument, described: Described, seen: Seen) -> None:
    DocumentVersion.objects.create(
        document=document,
        source=seen.source,
        digest=described.digest,
        content=described.content,
        taken_at=timezone.now(),
    )
    older = list(document.versions.values_list("pk", flat=True)[KEPT_VERSIONS:])
    DocumentVersion.objects.filter(pk__in=older).delete()


def _changed_names(before: str, after: str) -> tuple[str, ...]:
    old, new = json.loads(before), json.loads(after)
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    # A stranger chose them
    return tuple(name[:64] for name in names if name.isidentifier() and name.isascii())[:20]
