"""Ask for a document before its copy is due, because staff want to know."""

from django.http import HttpRequest
from django.utils import timezone

from audit.ledger.admin_log import record_admin_change
from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from oauth_provider.registration.documents.arrive import bring_up_to_date
from oauth_provider.registration.documents.models import LONGEST_PAUSE, MetadataDocument


def ask_again(*, document: MetadataDocument, request: HttpRequest, actor: UserRef, reason: str) -> None:
    """Put in force what its host says now; when that is nothing usable, the copy stays. `reason` is kept.

    Raises:
        DocumentError: the copy is too old to stay.
        ThrottledError: too many documents were asked for.
    """
    url = document.client.client_id
    now = timezone.now()
    MetadataDocument.objects.filter(pk=document.pk).update(fresh_until=now, tried_at=now - LONGEST_PAUSE)
    record_admin_change(
        kind=Kind.ADMIN_OBJECT_CHANGED,
        actor=actor,
        target=f"document:{url}"[:255],
        client_id=url,
        fields=("fresh_until",),
        note=reason,
    )
    bring_up_to_date(url=url, request=request)
