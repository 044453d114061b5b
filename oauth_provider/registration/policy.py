"""Who may come in by itself: the policy and the list, asked for registrations and for metadata documents alike."""

from oauth_provider.clients.models import Approval, Client, Origin
from oauth_provider.registration.models import ListedClient, Mode, NamedBy, RegistrationPolicy, Verdict


class NotWelcomeError(Exception):
    """Root of the refusals below; `reason` is the slug for the ledger.

    NotWelcomeError
    ├── NobodyWelcomeError   the policy lets nobody in
    ├── NotListedError       the policy lets only listed programs in
    └── BlockedError         staff blocked this one
    """

    reason = "not_welcome"


class NobodyWelcomeError(NotWelcomeError):
    """Clients cannot come in by themselves."""

    reason = "registration_off"


class NotListedError(NotWelcomeError):
    """Only listed programs may, and this is none of them."""

    reason = "client_not_listed"


class BlockedError(NotWelcomeError):
    """Staff blocked it."""

    reason = "client_blocked"


def current_policy() -> RegistrationPolicy:
    """The rules in force; the defaults while staff have saved none."""
    return RegistrationPolicy.objects.filter(pk=RegistrationPolicy.SINGLETON).first() or RegistrationPolicy()


def mode_for(origin: str) -> str:
    """The `Mode` for clients of `origin` (`dynamic` or `document`)."""
    policy = current_policy()
    return policy.document_mode if origin == Origin.DOCUMENT else policy.mode


def check_newcomer(*, origin: str, client_id: str = "", fingerprint: str = "", invited: bool = False) -> Approval:
    """Whether a client may come in, and whether staff must approve it first.

    Args:
        origin: `Origin.DYNAMIC` or `Origin.DOCUMENT`.
        client_id: the address of its document; a registration has none yet.
        fingerprint: of what it says about itself.
        invited: it brought a live invitation, which counts as approval.

    Raises:
        NotWelcomeError: it may not.
    """
    verdict = verdict_on(client_id=client_id, fingerprint=fingerprint)
    if verdict == Verdict.BLOCKED:
        raise BlockedError
    mode = mode_for(origin)
    if invited or mode == Mode.OPEN:
        return Approval.APPROVED
    if mode == Mode.OFF:
        raise NobodyWelcomeError
    if verdict == Verdict.ALLOWED:
        return Approval.APPROVED
    if mode == Mode.LISTED:
        raise NotListedError
    return Approval.PENDING


def check_not_blocked(client: Client) -> None:
    """Refuse a client that staff blocked after it had come in; those that staff made are never looked up.

    Raises:
        BlockedError: it is on the list.
    """
    if client.is_self_made and (
        verdict_on(client_id=client.client_id, fingerprint=client.fingerprint) == Verdict.BLOCKED
    ):
        raise BlockedError


def verdict_on(*, client_id: str = "", fingerprint: str = "") -> str:
    """What the list says, "" when it says nothing; a block counts more than a permission."""
    names = {NamedBy.CLIENT_ID: client_id, NamedBy.FINGERPRINT: fingerprint}
    said = {
        verdict
        for named_by, value in names.items()
        if value
        for verdict in ListedClient.objects.filter(named_by=named_by, value=value).values_list("verdict", flat=True)
    }
    return Verdict.BLOCKED if Verdict.BLOCKED in said else next(iter(said), "")
