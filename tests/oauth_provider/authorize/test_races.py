"""The consent form sent twice, or while the person revokes: one decision, no crash."""

import pytest
from django.test import Client as Browser
from oauth2_provider.models import get_grant_model

from oauth_provider.authorize.models import Interaction
from oauth_provider.connections.models import Connection
from oauth_provider.connections.revoke import revoke_connection
from tests.at_once import at_once
from tests.oauth_provider.authorize.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def allow(world: World, interaction: Interaction) -> int:
    """Send the consent form from another window of the same session; the status."""
    window = Browser()
    window.cookies = world.browser.cookies
    form = {"interaction": interaction.pk, "decision": "allow", "scope": ["tool:read"]}
    return int(window.post("/oauth/authorize", form).status_code)


def test_one_form_is_one_decision(world: World) -> None:
    interaction = world.open()
    statuses = at_once([lambda: allow(world, interaction)] * 6)
    assert sorted(statuses) == [303, *[409] * 5]
    assert get_grant_model().objects.count() == 1


def test_two_forms_are_one_connection(world: World) -> None:
    forms = [world.open() for _ in range(4)]
    statuses = at_once([lambda form=form: allow(world, form) for form in forms])  # type: ignore[misc]
    assert statuses == [303] * 4
    assert Connection.objects.count() == 1
    assert get_grant_model().objects.count() == 4


@pytest.mark.parametrize("repetition", range(3))
def test_allowing_and_revoking_at_once_ends_in_one_or_the_other(world: World, repetition: int) -> None:
    del repetition
    world.decide(world.open())
    connection = Connection.objects.get()
    form = world.open()

    def revoke() -> int:
        revoke_connection(connection=connection, actor=None, by="user", reason="")
        return 0

    status, _revoked = at_once([lambda: allow(world, form), revoke])
    live = Connection.objects.filter(revoked_at=None)
    codes = get_grant_model().objects.count()
    # Allowed first and then revoked, revoked first and then allowed anew, or revoked with its open request
    assert (status, live.count(), codes) in {(303, 0, 0), (303, 1, 1), (400, 0, 0)}
