"""What a client may ask for, for whoever describes it to the client's builder."""

from oauth_provider.clients.models import Approval, Client

MAX_CLIENT_ID = 255


def allowed_scopes(client_id: str) -> frozenset[str] | None:
    """The scopes staff let it ask for; None when no client that may be used has this id."""
    if "\x00" in client_id or len(client_id) > MAX_CLIENT_ID:
        return None
    usable = Client.objects.filter(suspended_at=None, approval=Approval.APPROVED)
    found = usable.filter(client_id=client_id).values_list("allowed_scopes", flat=True).first()
    return None if found is None else frozenset(found.split())
