"""The backends of the environment: created where they belong, pointed where the variables say, else left alone."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from audit.ledger.models import Event
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.read import read_all
from oauth_provider.scopes.models import Scope
from proxy.catalogue.credentials import BearerCredential
from proxy.catalogue.from_environment import bring_catalogue_in_line
from proxy.catalogue.models import Backend, Operation

pytestmark = pytest.mark.django_db
KEY = "service-key-of-the-owner"


def follow(urls: dict[str, str] | None = None, *, key: str | None = None, demo: bool = False) -> None:
    """Bring the catalogue in line with an environment."""
    bring_catalogue_in_line(service_urls=urls or {}, internal_service_key=key, demo=demo)


def careers(**changes: Any) -> Backend:
    """The demo's backend, which holds the prefix of `gpt`."""
    fields: dict[str, Any] = {"prefix": "/api/v1/gpt", "upstream_url": "http://127.0.0.1:8001/careers"}
    return Backend.objects.create(name="careers", **(fields | changes))


def test_gpt_is_created_at_its_default_address() -> None:
    follow()
    gpt = Backend.objects.get()
    assert (gpt.name, gpt.prefix, gpt.upstream_url) == ("gpt", "/api/v1/gpt", "http://localhost:3014")
    assert gpt.allow_private
    assert gpt.identity_headers == ["X-Clerk-User-Id", "X-Gpt-Clerk-User-Id"]
    assert set(Resource.objects.values_list("path", flat=True)) == {"/api/v1/gpt", "/mcp"}


def test_gpt_has_the_five_operations_and_their_scopes_in_two_languages() -> None:
    follow()
    found = {(operation.methods[0], operation.path): operation.scopes for operation in Operation.objects.all()}
    assert found == {
        ("GET", "/jobs/search"): ["jobs:read"],
        ("GET", "/jobs/{id}"): ["jobs:read"],
        ("GET", "/applications"): ["applications:read"],
        ("POST", "/applications"): ["applications:write"],
        ("POST", "/resume/analyze"): ["resume:read"],
    }
    assert Scope.objects.get(name="jobs:read").words("title", "pt-br") == "Buscar vagas"


def test_a_second_run_changes_nothing() -> None:
    follow({"GPT": "http://gpt.internal:3014"}, key=KEY)
    events, revisions = Event.objects.count(), read_all()
    follow({"GPT": "http://gpt.internal:3014"}, key=KEY)
    assert (Event.objects.count(), read_all()) == (events, revisions)


def test_what_staff_changed_stays_when_no_variable_says_otherwise() -> None:
    follow()
    Backend.objects.update(upstream_url="https://jobs.example", enabled=False)
    Operation.objects.filter(operation_id="getJob").update(enabled=False)
    Scope.objects.filter(name="jobs:read").update(title="Look for work")
    follow()
    gpt = Backend.objects.get()
    assert (gpt.upstream_url, gpt.enabled) == ("https://jobs.example", False)
    assert not Operation.objects.get(operation_id="getJob").enabled
    assert Scope.objects.get(name="jobs:read").title == "Look for work"


def test_a_taken_prefix_is_left_to_its_holder() -> None:
    careers()
    follow({"GPT": "http://gpt.internal:3014"})
    assert Backend.objects.get().name == "careers"


def test_the_demo_has_no_gpt_until_its_variable_is_set() -> None:
    careers()
    follow(demo=True)
    assert Backend.objects.get().prefix == "/api/v1/gpt"


def test_in_the_demo_gpt_takes_the_prefix_over_from_careers() -> None:
    careers()
    follow({"GPT": "http://gpt.internal:3014"}, demo=True)
    prefixes = dict(Backend.objects.values_list("name", "prefix"))
    assert prefixes == {"gpt": "/api/v1/gpt", "careers": "/api/v1/careers"}


def test_any_backend_is_pointed_where_its_variable_says_and_the_event_says_why() -> None:
    Backend.objects.create(name="open-jobs", prefix="/api/v1/open", upstream_url="https://open.example")
    follow({"OPEN_JOBS": "http://10.0.0.7:8080/v2"}, demo=True)
    backend = Backend.objects.get(name="open-jobs")
    assert (backend.upstream_url, backend.allow_private) == ("http://10.0.0.7:8080/v2", True)
    event = Event.objects.get(backend="open-jobs")
    assert (event.kind, event.reason, event.fields) == (
        "admin:object:changed",
        "environment",
        ["allow_private", "upstream_url"],
    )
    assert read_all()["catalogue"] >= 1


def test_a_variable_of_no_backend_does_no_harm() -> None:
    follow({"NOBODY": "http://nobody.internal"}, demo=True)
    assert not Backend.objects.exists()


def test_the_service_key_is_sealed_and_replaced_only_when_it_changes() -> None:
    follow(key=KEY)
    sealed = Backend.objects.get().credential_sealed
    assert KEY not in sealed
    follow(key=KEY)
    assert Backend.objects.get().credential_sealed == sealed
    follow(key="another-key-of-the-owner")
    assert Backend.objects.get().credential == BearerCredential(token="another-key-of-the-owner")


def test_a_service_key_sealed_by_a_lost_key_is_sealed_again() -> None:
    follow(key=KEY)
    Backend.objects.update(credential_sealed="sealed with a key that is gone")
    follow(key=KEY)
    assert Backend.objects.get().credential == BearerCredential(token=KEY)


def test_an_address_that_leads_back_here_is_refused(settings: Any) -> None:
    with pytest.raises(ValidationError):
        follow({"GPT": settings.PUBLIC_BASE_URL})
    assert not Backend.objects.exists()
