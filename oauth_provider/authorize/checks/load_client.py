"""The client exists, may use the authorization code grant, and is not suspended."""

from django.utils.translation import gettext_lazy as _

from oauth_provider.authorize.errors import LocalError
from oauth_provider.authorize.parameters import AuthorizationRequest
from oauth_provider.clients.models import Approval, Client
from oauth_provider.registration.policy import BlockedError, check_not_blocked


def load_client(request: AuthorizationRequest) -> Client:
    """Return the client that asks.

    Raises:
        LocalError: unknown or suspended client, one that staff did not let in, or one registered for another grant
            (RFC 6749 section 3.1.2.4).
    """
    known = Client.objects.filter(client_id=request.client_id)
    client: Client | None = known.first() if request.client_id else None
    if client is None:
        raise LocalError(
            "unknown_client",
            message=_("This application is not registered here."),
            developer=_("Check “client_id”: it must be the one shown when the client was registered."),
        )
    if client.authorization_grant_type != Client.GRANT_AUTHORIZATION_CODE:
        raise LocalError(
            "client_grant_mismatch",
            message=_("This application cannot ask people for access."),
            developer=_("The client is not registered for the authorization code grant."),
            client_id=client.client_id,
        )
    require_usable(client)
    return client


def require_usable(client: Client) -> None:
    """Staff let the client in and did not stop it, whichever grant it asks by.

    Raises:
        LocalError: they did not, or did.
    """
    if client.is_suspended:
        raise LocalError(
            "suspended_client",
            message=_("This application has been suspended and cannot be connected."),
            developer=_("Ask the operator of this server why the client was suspended."),
            client_id=client.client_id,
            status=403,
        )
    _require_approved(client)
    _require_unblocked(client)


def _require_unblocked(client: Client) -> None:
    try:
        check_not_blocked(client)
    except BlockedError as error:
        raise LocalError(
            error.reason,
            message=_("The operator of this server did not let this application in."),
            client_id=client.client_id,
            status=403,
        ) from error


def _require_approved(client: Client) -> None:
    if client.approval == Approval.PENDING:
        raise LocalError(
            "client_waits_for_approval",
            message=_("This application registered itself here and waits for approval."),
            advice=_("Try again when the operator of this server has let it in."),
            client_id=client.client_id,
            status=403,
        )
    if client.approval == Approval.DECLINED:
        raise LocalError(
            "client_declined",
            message=_("The operator of this server did not let this application in."),
            client_id=client.client_id,
            status=403,
        )
