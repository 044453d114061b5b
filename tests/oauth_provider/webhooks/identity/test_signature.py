"""What is believed: signed by a secret we know, as it was sent, within five minutes, once."""

import json
import time
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from audit.ledger.kinds import Decision, Kind
from audit.ledger.models import Event
from oauth_provider.webhooks.endpoint import MAX_BYTES
from oauth_provider.webhooks.models import Delivery
from tests.oauth_provider.webhooks.identity.sender import URL, Sender, new_secret, sign
from tests.staff_browser import last_event

BODY = json.dumps({"type": "user.deleted", "data": {"id": "nobody", "deleted": True}}).encode()


def refused(answer: Any, status: int, reason: str) -> None:
    """With a short word, an event, and nothing taken."""
    assert (answer.status_code, answer.json()) == (status, {"error": reason})
    event = last_event(kind=Kind.WEBHOOK_MESSAGE_REFUSED)
    assert (event.reason, event.status, event.decision) == (reason, status, Decision.DENY)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("family", ["svix", "webhook"])
def test_both_families_of_headers_are_read(sender: Sender, family: str) -> None:
    sender.family = family
    assert sender.post(BODY, sender.headers(BODY)).status_code == 204


def test_the_vector_of_the_specification(settings: Settings, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Svix's published example
    settings.IDENTITY_WEBHOOK_SECRETS = ["whsec_plJ3nmyCDGBKInavdOK15jsl"]
    monkeypatch.setattr("oauth_provider.webhooks.identity.signature.time.time", lambda: 1731705121)
    headers = {
        "svix-id": "msg_loFOjxBNrRLzqYUf",
        "svix-timestamp": "1731705121",
        "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }
    body = b'{"event_type":"ping","data":{"success":true}}'
    # Believed, and then unreadable to us: it says `event_type`
    assert Sender("").post(body, headers).json() == {"error": "body_unreadable"}


def test_an_older_secret_counts_while_it_is_listed(sender: Sender, settings: Settings) -> None:
    oldest = Sender(settings.IDENTITY_WEBHOOK_SECRETS[1])
    assert oldest.post(BODY, oldest.headers(BODY)).status_code == 204
    settings.IDENTITY_WEBHOOK_SECRETS = settings.IDENTITY_WEBHOOK_SECRETS[:1]
    assert oldest.post(BODY, oldest.headers(BODY)).status_code == 401


def test_one_good_signature_of_several_is_enough(sender: Sender) -> None:
    headers = sender.headers(BODY)
    headers["svix-signature"] = f"v1,AAAA v1a,x v2,{headers['svix-signature'][3:]} {headers['svix-signature']}"
    assert sender.post(BODY, headers).status_code == 204


@pytest.mark.parametrize(
    "signature", ["v1,AAAA", "v1", ",", "v1,é", "v1,====", "v2,AAAA", "x" * 4000, "v1," + "A" * 44, "v1, v1, v1,"]
)
def test_a_signature_that_is_none_is_refused(sender: Sender, signature: str) -> None:
    headers = sender.headers(BODY) | {"svix-signature": signature}
    refused(sender.post(BODY, headers), 401, "signature_refused")


def test_another_secret_is_refused(sender: Sender) -> None:
    stranger = Sender(new_secret())
    refused(stranger.post(BODY, stranger.headers(BODY)), 401, "signature_refused")


@pytest.mark.parametrize("body", [BODY + b" ", BODY.replace(b"nobody", b"anbody"), b""])
def test_one_other_byte_is_refused(sender: Sender, body: bytes) -> None:
    refused(sender.post(body, sender.headers(BODY)), 401, "signature_refused")


@pytest.mark.parametrize("part", ["id", "timestamp"])
def test_the_id_and_the_time_are_signed_too(sender: Sender, part: str) -> None:
    headers = sender.headers(BODY)
    headers[f"svix-{part}"] = headers[f"svix-{part}"][:-1] + ("0" if headers[f"svix-{part}"][-1] != "0" else "1")
    refused(sender.post(BODY, headers), 401, "signature_refused")


@pytest.mark.parametrize("part", ["id", "timestamp", "signature"])
def test_every_header_is_needed_and_of_one_family(sender: Sender, part: str) -> None:
    headers = sender.headers(BODY)
    headers[f"webhook-{part}"] = headers.pop(f"svix-{part}")
    refused(sender.post(BODY, headers), 400, "headers_missing")


@pytest.mark.parametrize(
    ("part", "value"), [("timestamp", "soon"), ("timestamp", "-1"), ("id", "a b"), ("id", "x" * 201)]
)
def test_headers_that_are_malformed_are_refused(sender: Sender, part: str, value: str) -> None:
    refused(sender.post(BODY, sender.headers(BODY) | {f"svix-{part}": value}), 400, "headers_malformed")


@pytest.mark.parametrize("age_s", [-302, 302, 86_400])
def test_a_message_of_another_time_is_refused(sender: Sender, age_s: int) -> None:
    refused(sender.post(BODY, sender.headers(BODY, at=time.time() - age_s)), 401, "timestamp_refused")


@pytest.mark.parametrize("age_s", [-290, 290])
def test_clocks_may_differ_by_almost_five_minutes(sender: Sender, age_s: int) -> None:
    assert sender.post(BODY, sender.headers(BODY, at=time.time() - age_s)).status_code == 204


def test_a_message_counts_once(sender: Sender) -> None:
    headers = sender.headers(BODY)
    assert [sender.post(BODY, headers).status_code for _ in range(3)] == [204] * 3
    # Tried again later by the sender: another time, another signature, the same id
    again = sender.headers(BODY, name=headers["svix-id"], at=time.time() + 60)
    assert sender.post(BODY, again).status_code == 204
    assert Event.objects.filter(kind__startswith="webhook:").count() == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"type": 1, "data": {}}', b'{"type": "user.deleted"}', b"\xff", b"[" * 9999],
)
def test_a_body_that_says_nothing_is_refused_although_it_is_signed(sender: Sender, body: bytes) -> None:
    refused(sender.post(body, sender.headers(body)), 400, "body_unreadable")


def test_a_large_body_is_refused_before_anything_is_computed(sender: Sender) -> None:
    refused(sender.post(b"x" * (MAX_BYTES + 1), {}), 413, "body_too_large")


@pytest.mark.parametrize("method", ["get", "put", "delete", "options"])
def test_only_post(sender: Sender, method: str) -> None:
    assert getattr(sender.browser, method)(URL).status_code == 405


def test_without_a_secret_there_is_no_such_place(client: Browser, db: None) -> None:
    assert client.post(URL, b"{}", content_type="application/json").status_code == 404


def test_no_cookie_is_needed_and_none_helps(sender: Sender) -> None:
    strict = Browser(enforce_csrf_checks=True)
    sender.browser = strict
    assert sender.post(BODY, sender.headers(BODY)).status_code == 204


def test_it_is_held_to_its_rate(sender: Sender, settings: Settings) -> None:
    settings.OAUTH_RATES = settings.OAUTH_RATES | {"webhook": "2/m"}
    answers = [sender.post(BODY, sender.headers(BODY)) for _ in range(5)]
    assert 429 in [answer.status_code for answer in answers]
    assert int(answers[-1]["Retry-After"]) >= 1
    assert sign(sender.secret, "a", "1", b"") not in answers[-1].content.decode()
