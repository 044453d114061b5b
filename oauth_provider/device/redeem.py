"""A device's poll of the token endpoint (RFC 8628 sections 3.4 and 3.5): wait, be refused, or redeem the code."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from oauth_provider.clients.models import Client
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection
from oauth_provider.device.models import DeviceCode
from oauth_provider.identities.external_id import user_ref
from oauth_provider.openid.id_token import SignIn
from oauth_provider.tokens.families import store_pair
from oauth_provider.tokens.grants import MAX_CREDENTIAL, effective_scopes
from oauth_provider.tokens.issued import Issued
from oauth_provider.tokens.models import TokenFamily
from oauth_provider.tokens.refusals import InvalidGrantError, ReplayError, TokenRefusedError

# Section 3.5: for this request and all that follow
SLOWER_BY_S = 5
# Two polls of a punctual client may reach us closer together than they were sent
GRACE = timedelta(seconds=1)


class DevicePollError(TokenRefusedError):
    """The poll brings no token; `reason` is the error code of section 3.5.

    DevicePollError
    ├── StillWaitingError   authorization_pending, slow_down: the device asks again
    └── DeviceOverError     access_denied, expired_token: it stops
    """


class StillWaitingError(DevicePollError):
    """Nobody decided yet; when it was last asked is kept."""


class DeviceOverError(DevicePollError):
    """The person said no, or nobody said anything in time."""


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """A device code that may be redeemed now."""

    connection: Connection
    device: DeviceCode
    scopes: tuple[str, ...]

    @property
    def sign_in(self) -> SignIn:
        """What an ID token says of it; a device has no nonce."""
        return SignIn(user_ref(self.connection.user).external_id, at=self.device.signed_in_at)

    @property
    def is_offline(self) -> bool:
        """Whether there is a refresh token beside the access token."""
        return self.device.is_offline


def lock_device_code(*, code: str, client: Client) -> DeviceGrant:
    """Lock what `code` stands for and check that it may be redeemed.

    Raises:
        StillWaitingError: not decided yet.
        DeviceOverError: denied, or expired.
        ReplayError: it was redeemed before.
        InvalidGrantError: unknown, another client's, or what it stands for has ended.
    """
    checksum = hashlib.sha256(code[:MAX_CREDENTIAL].encode("utf-8", "surrogatepass")).hexdigest()
    known = DeviceCode.objects.filter(checksum=checksum, client=client)
    connection_id = known.values_list("connection", flat=True).first()
    # First the connection, then what hangs on it: the order of everybody else
    connection = lock_connection(connection_id) if connection_id else None
    device = known.select_for_update(of=("self",), no_key=True).first()
    if device is None:
        raise InvalidGrantError("unknown_device_code")
    if device.redeemed_at is not None:
        raise ReplayError("device_code_replayed", device.family_id)
    now = timezone.now()
    if device.expires_at <= now:
        raise DeviceOverError("expired_token")
    if device.decided_at is not None and device.connection_id is None:
        raise DeviceOverError("access_denied")
    if connection is None or device.connection_id != connection.pk:
        # Undecided; or decided while we waited for the lock, which the next poll finds out
        raise _wait(device, now)
    scopes = effective_scopes(granted=device.scopes, connection=connection, client=client)
    return DeviceGrant(connection, device, scopes)


def _wait(device: DeviceCode, now: datetime) -> StillWaitingError:
    pause = timedelta(seconds=device.interval_s)
    is_early = device.polled_at is not None and now - device.polled_at < pause - GRACE
    if is_early:
        device.interval_s += SLOWER_BY_S
    device.polled_at = now
    device.save(update_fields=["interval_s", "polled_at"])
    return StillWaitingError("slow_down" if is_early else "authorization_pending")


def spend_device_code(locked: DeviceGrant, *, issued: Issued) -> None:
    """Redeem it: it begins a family."""
    family = TokenFamily.objects.create(
        connection=locked.connection, scopes=issued.scope, signed_in_at=locked.device.signed_in_at
    )
    DeviceCode.objects.filter(pk=locked.device.pk).update(redeemed_at=timezone.now(), family=family)
    store_pair(issued=issued, connection=locked.connection, family=family)
