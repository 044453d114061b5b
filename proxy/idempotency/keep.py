"""Claim a key, and say what became of it: rows of the database, so that every worker and every replica agrees."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from oauth_provider.batches import delete_in_batches
from proxy.idempotency.models import KeptCall, State

KEPT_FOR = timedelta(hours=24)


def claim(*, key: str, request: str, holder: str, hold_s: float) -> KeptCall:
    """The row of `key`: the caller's own when its `holder` is theirs, else somebody's who came earlier.

    Args:
        key: SHA-256 of the key and of whose it is.
        request: SHA-256 of the request.
        holder: the caller's request id.
        hold_s: seconds after which a holder that said nothing must have died.
    """
    now = timezone.now()
    fresh = {
        "request": request,
        "holder": holder,
        "state": State.HELD,
        "held_until": now + timedelta(seconds=hold_s),
        "expires_at": now + KEPT_FOR,
        "answer": "",
    }
    found = KeptCall.objects.filter(pk=key).first()
    if found is None:
        try:
            with transaction.atomic():
                return KeptCall.objects.create(pk=key, **fresh)
        except IntegrityError:
            return KeptCall.objects.get(pk=key)
    if found.expires_at <= now:
        # Of several who see that it is over one gets it
        KeptCall.objects.filter(pk=key, holder=found.holder, expires_at=found.expires_at).update(**fresh)
        return KeptCall.objects.get(pk=key)
    return found


def look(*, key: str) -> KeptCall | None:
    """The row of `key`; None once its holder gave it back."""
    return KeptCall.objects.filter(pk=key).first()


def settle(*, key: str, holder: str, state: State, answer: str = "") -> None:
    """Say what became of the call; `answer` is sealed."""
    KeptCall.objects.filter(pk=key, holder=holder).update(state=state, answer=answer)


def give_back(*, key: str, holder: str) -> None:
    """Nothing reached the backend: whoever sends the key next is the first."""
    KeptCall.objects.filter(pk=key, holder=holder).delete()


def clean_kept_calls(*, at: datetime) -> Iterator[int]:
    """Delete in small batches what nobody can ask for any more; yields how many each deleted."""
    yield from delete_in_batches(KeptCall.objects.filter(expires_at__lte=at))
