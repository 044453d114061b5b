"""A client that registered itself at Auth0 is promoted once, whatever Auth0 answers on the way."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from audit.ledger.kinds import Decision, Kind
from audit.ledger.models import Event
from oauth_provider.webhooks.auth0 import management
from oauth_provider.webhooks.models import Delivery, Promotion
from tests.at_once import at_once
from tests.oauth_provider.webhooks.auth0.auth0 import (
    CHATGPT,
    CLIENT_ID,
    CLIENT_SECRET,
    CONNECTION,
    WEBHOOK_SECRET,
    Auth0,
    entry,
    running,
)
from tests.staff_browser import last_event

URL = "/webhooks/auth0"
READY = {"app_type": "regular_web", "is_first_party": True, "grant_types": ["authorization_code", "refresh_token"]}


@pytest.fixture
def tenant(db: None, settings: Settings) -> Iterator[Auth0]:
    """The tenant, running, with one client that registered itself, and the gateway told of it."""
    del db
    management._tokens.clear()  # noqa: SLF001 - what one test's tenant gave is nothing to the next one's
    with running() as found:
        settings.AUTH0_DOMAIN = found.origin
        settings.AUTH0_MGMT_CLIENT_ID = CLIENT_ID
        settings.AUTH0_MGMT_CLIENT_SECRET = CLIENT_SECRET
        settings.AUTH0_LOG_WEBHOOK_SECRET = WEBHOOK_SECRET
        settings.AUTH0_CONNECTION_ID = CONNECTION
        settings.AUTH0_AUDIENCE = "https://api.acme.example"
        settings.AUTH0_SCOPES = ["jobs:read"]
        found.register("tpc_new")
        yield found


def deliver(*entries: Any, secret: str = f"Bearer {WEBHOOK_SECRET}", body: bytes | None = None) -> Any:
    """What the log stream sends: an array, unless the test says otherwise."""
    content = json.dumps(list(entries)).encode() if body is None else body
    return Browser().post(URL, content, content_type="application/json", headers={"authorization": secret})


def is_ready(tenant: Auth0, client_id: str = "tpc_new") -> bool:
    """Whether everything was done for it, once."""
    client, grants = tenant.clients[client_id], [each for each in tenant.grants if each["client_id"] == client_id]
    return (
        all(client[name] == value for name, value in READY.items()) and client_id in tenant.enabled and len(grants) == 1
    )


def test_a_client_is_promoted(tenant: Auth0) -> None:
    assert deliver(entry("tpc_new")).status_code == 204
    assert is_ready(tenant)
    assert tenant.enabled == ["first", "tpc_new"]
    assert tenant.grants == [
        {
            "client_id": "tpc_new",
            "audience": "https://api.acme.example",
            "scope": ["jobs:read"],
            "subject_type": "user",
        }
    ]
    assert last_event(kind=Kind.WEBHOOK_CLIENT_PROMOTED).target == "auth0:client:tpc_new"
    assert Promotion.objects.get().state == "done"


@pytest.mark.parametrize("shape", ["array", "object", "lines"])
def test_every_format_of_a_log_stream_is_read(tenant: Auth0, shape: str) -> None:
    one, other = entry("tpc_new"), {"log_id": "901", "data": {"type": "s"}}
    body = {
        "array": json.dumps([other, one]),
        "object": json.dumps(one),
        "lines": f"{json.dumps(other)}\n{json.dumps(one)}\n",
    }[shape]
    assert deliver(body=body.encode()).status_code == 204
    assert is_ready(tenant)


def test_an_entry_counts_once(tenant: Auth0) -> None:
    told = entry("tpc_new")
    assert [deliver(told).status_code for _ in range(3)] == [204] * 3
    assert tenant.asked.count(("PATCH", "/api/v2/clients/tpc_new")) == 1
    assert Event.objects.filter(kind=Kind.WEBHOOK_CLIENT_PROMOTED).count() == 1


def test_the_token_of_the_api_is_kept_and_nowhere_written(tenant: Auth0) -> None:
    tenant.register("tpc_two")
    deliver(entry("tpc_new"), entry("tpc_two"))
    assert is_ready(tenant, "tpc_two")
    assert tenant.asked.count(("POST", "/oauth/token")) == 1
    written = "".join(str(event.__dict__) for event in Event.objects.all())
    assert not [token for token in tenant.tokens if token in written]


def test_a_token_that_is_over_is_asked_for_anew(tenant: Auth0) -> None:
    tenant.lasts_s = 0
    deliver(entry("tpc_new"))
    assert tenant.asked.count(("POST", "/oauth/token")) > 1


def test_a_token_they_take_back_is_asked_for_anew(tenant: Auth0) -> None:
    deliver(entry("tpc_new"))
    tenant.tokens.clear()
    tenant.register("tpc_two")
    assert deliver(entry("tpc_two")).status_code == 204
    assert is_ready(tenant, "tpc_two")


def test_what_was_done_already_is_not_done_again(tenant: Auth0) -> None:
    tenant.clients["tpc_new"].update(READY)
    tenant.grants.append({"client_id": "tpc_new", "audience": "https://api.acme.example"})
    assert deliver(entry("tpc_new")).status_code == 204
    assert ("PATCH", "/api/v2/clients/tpc_new") not in tenant.asked
    assert is_ready(tenant)


@pytest.mark.parametrize("is_listed", [False, True])
def test_a_tenant_without_the_newer_endpoint_has_the_list_written(tenant: Auth0, is_listed: bool) -> None:
    tenant.has_clients_endpoint = False
    tenant.enabled = ["first", "tpc_new"] if is_listed else ["first"]
    assert deliver(entry("tpc_new")).status_code == 204
    assert tenant.enabled == ["first", "tpc_new"]
    assert (("PATCH", f"/api/v2/connections/{CONNECTION}") in tenant.asked) is not is_listed


def test_without_connection_and_api_the_client_alone_is_changed(tenant: Auth0, settings: Settings) -> None:
    settings.AUTH0_CONNECTION_ID = settings.AUTH0_AUDIENCE = ""
    deliver(entry("tpc_new"))
    assert {path for _method, path in tenant.asked} == {"/oauth/token", "/api/v2/clients/tpc_new"}


STEPS = [
    ("POST", "/oauth/token"),
    ("GET", "/api/v2/clients/tpc_new"),
    ("PATCH", "/api/v2/clients/tpc_new"),
    ("PATCH", f"/api/v2/connections/{CONNECTION}/clients"),
    ("POST", "/api/v2/client-grants"),
]


@pytest.mark.parametrize("step", STEPS, ids=[f"{method} {path}" for method, path in STEPS])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_fails_at_any_step_is_done_with_the_next_delivery(
    tenant: Auth0, step: tuple[str, str], status: int
) -> None:
    tenant.faults[step] = [(status, {"Retry-After": "7"} if status == 429 else {})]
    first = deliver(entry("tpc_new"))
    assert first.status_code == 503
    assert first["Retry-After"] == ("7" if status == 429 else "60")
    reason = "auth0_rate_limited" if status == 429 else "auth0_failed"
    assert first.json() == {"error": reason}
    event = last_event(kind=Kind.WEBHOOK_CLIENT_REFUSED)
    assert (event.reason, event.decision) == (reason, Decision.ERROR)
    # Any other message of the stream will do
    assert deliver({"log_id": "901", "data": {"type": "s"}}).status_code == 204
    assert is_ready(tenant)
    assert tenant.enabled.count("tpc_new") <= 2


def test_the_limit_s_own_moment_says_when(tenant: Auth0) -> None:
    tenant.faults[STEPS[1]] = [(429, {"x-ratelimit-reset": str(int(time.time()) + 30)})]
    assert 20 <= int(deliver(entry("tpc_new"))["Retry-After"]) <= 30


def test_wrong_credentials_are_told_and_tried_again(tenant: Auth0, settings: Settings) -> None:
    settings.AUTH0_MGMT_CLIENT_SECRET = "wrong"
    assert deliver(entry("tpc_new")).json() == {"error": "auth0_credentials_refused"}
    settings.AUTH0_MGMT_CLIENT_SECRET = CLIENT_SECRET
    assert deliver({"log_id": "901"}).status_code == 204
    assert is_ready(tenant)


def test_a_tenant_that_is_away_is_tried_again_and_given_up_in_the_end(tenant: Auth0, settings: Settings) -> None:
    settings.AUTH0_DOMAIN = "http://127.0.0.1:9"
    assert deliver(entry("tpc_new")).status_code == 503
    answers = [deliver({"log_id": "901"}).status_code for _ in range(19)]
    assert answers == [503] * 18 + [204]
    assert last_event(kind=Kind.WEBHOOK_CLIENT_REFUSED).reason == "gave_up"
    assert Promotion.objects.get().state == "refused"


@pytest.mark.parametrize(
    "callbacks",
    [
        ["https://evil.example/cb"],
        [CHATGPT, "https://evil.example/cb"],
        ["https://chatgpt.com.evil.example/cb"],
        ["https://chatgpt.com@evil.example/cb"],
        ["https://chatgpt.com:8443/cb"],
        ["http://chatgpt.com/cb"],
        ["chatgpt.com"],
        ["https://[chatgpt.com/cb"],
        [],
    ],
)
def test_a_client_that_returns_people_elsewhere_is_left_as_it_is(tenant: Auth0, callbacks: list[str]) -> None:
    tenant.clients["tpc_new"]["callbacks"] = callbacks
    assert deliver(entry("tpc_new")).status_code == 204
    assert not tenant.clients["tpc_new"]["is_first_party"]
    assert tenant.enabled == ["first"]
    event = last_event(kind=Kind.WEBHOOK_CLIENT_REFUSED)
    assert (event.reason, event.decision) == ("redirect_not_allowed", Decision.DENY)
    assert Promotion.objects.get().state == "refused"


def test_a_client_that_is_gone_again_is_not_asked_for_for_ever(tenant: Auth0) -> None:
    assert deliver(entry("tpc_gone")).status_code == 204
    event = last_event(kind=Kind.WEBHOOK_CLIENT_REFUSED)
    assert (event.reason, event.status) == ("auth0_declined", 404)


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "fapi"},
        {"type": "sapi", "description": "Create a client", "details": {"request": {"path": "/api/v2/clients"}}},
        {"type": "s"},
        {"type": None, "details": "x"},
        {"details": {"response": {"body": {"client_id": "../../x"}}, "request": {"path": "/oidc/register"}}},
        {"details": {"response": {"body": []}, "request": {"path": "/oidc/register"}}},
        {"details": {"response": {"body": {"client_id": 5}}, "request": {"path": ["x"]}}},
    ],
)
def test_entries_of_other_kinds_and_shapes_promote_nothing(tenant: Auth0, odd: dict[str, Any]) -> None:
    assert deliver(entry("", **odd)).status_code == 204
    assert not [path for _method, path in tenant.asked if "clients" in path and "5" not in path]


@pytest.mark.parametrize("secret", ["", "wrong", f"Basic {WEBHOOK_SECRET}", f"Bearer {WEBHOOK_SECRET}x", "Bearer é"])
def test_nobody_else_is_believed(tenant: Auth0, secret: str) -> None:
    answer = deliver(entry("tpc_new"), secret=secret)
    assert (answer.status_code, answer.json()) == (401, {"error": "secret_refused"})
    assert last_event(kind=Kind.WEBHOOK_MESSAGE_REFUSED).target == "webhook:auth0"
    assert not tenant.asked
    assert not Delivery.objects.exists()


def test_the_token_may_be_typed_without_the_word(tenant: Auth0) -> None:
    assert deliver(entry("tpc_new"), secret=WEBHOOK_SECRET).status_code == 204
    assert is_ready(tenant)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[1]", b'"x"', b"\xff", b"[" * 9999, b"{}\n{"])
def test_a_body_that_says_nothing_is_refused(tenant: Auth0, body: bytes) -> None:
    assert deliver(body=body).json() == {"error": "body_unreadable"}


def test_without_a_tenant_there_is_no_such_place(client: Browser, db: None) -> None:
    assert client.post(URL, b"[]", content_type="application/json").status_code == 404


def test_it_is_held_to_its_rate(tenant: Auth0, settings: Settings) -> None:
    settings.OAUTH_RATES = settings.OAUTH_RATES | {"webhook": "2/m"}
    assert 429 in [deliver({"log_id": "901"}).status_code for _ in range(5)]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_deliveries_at_once_promote_each_client_once(tenant: Auth0) -> None:
    for number in range(4):
        tenant.register(f"tpc_{number}")
    told = [entry(f"tpc_{number}") for number in range(4)]
    answers = at_once([partial(status, *told) for _ in range(6)])
    assert set(answers) == {204}
    assert deliver({"log_id": "901"}).status_code == 204
    assert all(is_ready(tenant, f"tpc_{number}") for number in range(4))
    assert Event.objects.filter(kind=Kind.WEBHOOK_CLIENT_PROMOTED).count() == 4


def status(*entries: Any) -> int:
    """Of the answer to a delivery."""
    return int(deliver(*entries).status_code)
