"""What staff decide about a program that registers itself: about all its registrations, those to come included.

Some programs register anew at every connection. To approve each of them would be work without end, and all of them
say the same: the decision is kept in the list under what they have in common, the fingerprint. What has a document is
one client for everybody, and its address is the name that nobody else can have.
"""

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.clients.models import SELF_MADE, Approval, Client, Origin
from oauth_provider.clients.suspend import resume_client, suspend_client
from oauth_provider.registration.models import ListedClient, NamedBy, Verdict
from oauth_provider.registration.scopes import open_scopes
from oauth_provider.revisions.bump import bump


@transaction.atomic
def approve_program(*, client: Client, actor: UserRef, reason: str) -> int:
    """Let the program of `client` in, now and whenever it registers again; how many registrations that opens.

    They may ask for what is open to such clients at this moment.
    """
    put_on_list(client, Verdict.ALLOWED, reason)
    waiting = list(registrations_of(client).exclude(approval=Approval.APPROVED).order_by("pk"))
    usable = open_scopes()
    for each in waiting:
        each.approval = Approval.APPROVED
        each.allowed_scopes = " ".join(sorted({*each.scope_set, *usable}))
        each.save(update_fields=["approval", "allowed_scopes", "updated"])
        resume_client(client=each, actor=actor, reason=reason)
        _tell(Kind.ADMIN_CLIENT_APPROVED, each, actor, reason)
    bump("revocation")
    return len(waiting)


@transaction.atomic
def decline_program(*, client: Client, actor: UserRef, reason: str) -> int:
    """Refuse the program of `client`, now and whenever it registers again; how many registrations that ends.

    Those that were in use before are suspended, so that their tokens open nothing from now on.
    """
    put_on_list(client, Verdict.BLOCKED, reason)
    ended = list(registrations_of(client).exclude(approval=Approval.DECLINED).order_by("pk"))
    for each in ended:
        Client.objects.filter(pk=each.pk).update(approval=Approval.DECLINED)
        _tell(Kind.ADMIN_CLIENT_DECLINED, each, actor, reason)
        suspend_client(client=each, actor=actor, reason=reason)
    return len(ended)


def enforce(*, entry: ListedClient, actor: UserRef, reason: str) -> int:
    """Suspend whoever a new block of the list names, and say how many; a permission changes nobody who is here."""
    if entry.verdict != Verdict.BLOCKED:
        return 0
    named = {entry.named_by: entry.value}
    found = list(Client.objects.filter(**named, origin__in=SELF_MADE, suspended_at=None).order_by("pk"))
    for client in found:
        suspend_client(client=client, actor=actor, reason=reason or entry.note)
    return len(found)


def registrations_of(client: Client) -> QuerySet[Client]:
    """Every registration of the same program, the one at hand included."""
    same = Q(pk=client.pk) if _is_one(client) else Q(fingerprint=client.fingerprint)
    rows: QuerySet[Client] = Client.objects.filter(same, origin__in=SELF_MADE)
    return rows


def put_on_list(client: Client, verdict: Verdict, note: str) -> None:
    """Keep what was decided about the program of `client`, instead of what was decided before."""
    named_by = NamedBy.CLIENT_ID if _is_one(client) else NamedBy.FINGERPRINT
    value = client.client_id if _is_one(client) else client.fingerprint
    ListedClient.objects.update_or_create(
        named_by=named_by, value=value, defaults={"verdict": verdict, "note": note[:500]}
    )


def _is_one(client: Client) -> bool:
    return client.origin == Origin.DOCUMENT or not client.fingerprint


def _tell(kind: Kind, client: Client, actor: UserRef, reason: str) -> None:
    record(kind=kind, actor=actor, client_id=client.client_id, target=f"client:{client.client_id}", note=reason[:500])
