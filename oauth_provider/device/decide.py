"""What a person's decision does to a device's code: it is decided once, whoever comes first."""

from datetime import datetime

from django.utils import timezone

from oauth_provider.connections.models import Connection
from oauth_provider.device.models import DeviceCode


def approve_device(
    *,
    device_id: int,
    connection: Connection,
    scopes: tuple[str, ...],
    signed_in_at: datetime | None,
    is_offline: bool,
) -> bool:
    """Let the device have `scopes` of `connection`, whose lock the caller holds; False when it is too late."""
    now = timezone.now()
    return bool(
        DeviceCode.objects.filter(pk=device_id, decided_at=None, expires_at__gt=now).update(
            decided_at=now,
            connection=connection,
            scopes=" ".join(scopes),
            signed_in_at=signed_in_at,
            is_offline=is_offline,
        )
    )


def deny_device(*, device_id: int) -> None:
    """Tell the device no, at its next poll."""
    DeviceCode.objects.filter(pk=device_id, decided_at=None).update(decided_at=timezone.now())
