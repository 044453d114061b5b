"""What is remembered of ended sessions, and for how long."""

from datetime import timedelta

import pytest
from django.utils import timezone

from proxy.ended_sessions.keep import end, is_ended
from proxy.ended_sessions.models import EndedSession

pytestmark = pytest.mark.django_db


def test_it_is_remembered_up_to_its_time_and_then_taken_away_by_the_next() -> None:
    now = timezone.now()
    for _twice in range(2):
        end(digest="a", until=now + timedelta(hours=1))
    end(digest="b", until=now - timedelta(seconds=1))
    assert (is_ended(digest="a"), is_ended(digest="c")) == (True, False)
    end(digest="c", until=now + timedelta(hours=1))
    assert set(EndedSession.objects.values_list("pk", flat=True)) == {"a", "c"}
