"""Two members of staff at one client in the same moment."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import connections

from audit.ledger.kinds import Kind
from audit.ledger.models import Event
from oauth_provider.clients.create import create_client
from oauth_provider.clients.models import Client
from oauth_provider.clients.secrets import LIVE_SECRETS, create_secret, live_secrets
from oauth_provider.scopes.models import Scope
from tests.at_once import at_once
from tests.own_database import own_database
from tests.staff_browser import StaffBrowser

__all__ = ["own_database"]
pytestmark = pytest.mark.services
LIST = "/admin/oauth_provider/client/"
ROUNDS = 5


@pytest.fixture
def db(own_database: None) -> Iterator[None]:
    """Committed, so that threads see it."""
    del own_database
    yield
    connections.close_all()


@pytest.fixture
def client(db: None) -> Client:
    """A confidential client."""
    del db
    Scope.objects.create(name="jobs:read", title="Search jobs")
    made = create_client(preset="gpt", name="Copilot", scopes=("jobs:read",), actor=None, gpt="g-a")
    Client.objects.update(default_resource="/api/v1/gpt")
    return made.client


@pytest.fixture
def two(db: None) -> list[StaffBrowser]:
    """Two members of staff."""
    del db
    return [StaffBrowser(User.objects.create_superuser(name, password="x")) for name in ("maria", "paulo")]


def test_of_two_changes_of_the_same_page_one_is_kept_and_one_is_told(client: Client, two: list[StaffBrowser]) -> None:
    path = f"{LIST}{client.pk}/change/"
    for number in range(ROUNDS):
        forms = [browser.form(path, "name").values for browser in two]
        changed = [
            forms[0] | {"name": [f"Renamed {number}"]},
            forms[1] | {"access_token_lifetime_s": [str(600 + number)]},
        ]
        answers = at_once([partial(one.http.post, path, sent) for one, sent in zip(two, changed, strict=True)])
        assert Counter(answer.status_code for answer in answers) == {302: 1, 200: 1}
        client.refresh_from_db()
        assert (client.name == f"Renamed {number}") is not (client.access_token_lifetime_s == 600 + number)


def test_suspended_twice_is_recorded_once(client: Client, two: list[StaffBrowser]) -> None:
    path = f"{LIST}{client.pk}/suspend/"
    answers = at_once([partial(one.http.post, path, {"reason": "x"}) for one in two])
    assert {answer.status_code for answer in answers} == {302}
    assert Event.objects.filter(kind=Kind.ADMIN_CLIENT_SUSPENDED).count() == 1


def test_two_new_secrets_at_once_do_not_make_three(client: Client, two: list[StaffBrowser]) -> None:
    path = f"{LIST}{client.pk}/new-secret/"
    at_once([partial(one.http.post, path, {"reason": "x"}) for one in two])
    assert live_secrets(client=client) == LIVE_SECRETS


def test_two_retired_at_once_leave_one(client: Client, two: list[StaffBrowser]) -> None:
    create_secret(client=client, actor=None)
    paths = [f"{LIST}{client.pk}/secrets/{secret.pk}/retire/" for secret in client.secrets.all()]
    at_once([partial(one.http.post, path, {"reason": "x"}) for one, path in zip(two, paths, strict=True)])
    assert live_secrets(client=client) == 1
