"""Delete device codes that nobody redeemed in time; a redeemed one goes with its family."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from oauth_provider.batches import delete_in_batches
from oauth_provider.device.models import DeviceCode


def expired_device_codes(*, at: datetime) -> QuerySet[DeviceCode]:
    """Decided or not."""
    return DeviceCode.objects.filter(redeemed_at=None, expires_at__lte=at)


def clean_device_codes(*, at: datetime) -> Iterator[int]:
    """Delete those expired `at` that moment; yields how many each short transaction deleted."""
    return delete_in_batches(expired_device_codes(at=at))
