"""Scripts of staff decide about clients that came by themselves."""

import pytest

from oauth_provider.clients.models import Approval
from tests.management_api import Api
from tests.oauth_provider.registration.newcomers import Newcomers, row_of
from tests.oauth_provider.registration.test_register import Policy
from tests.staff_browser import last_event

REASON = {"X-Reason": "We use it"}


def test_a_client_says_where_it_came_from(api: Api, newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="Claude")
    shown = api.get(f"clients/{made['client_id']}/").json()
    assert (shown["origin"], shown["approval"], shown["trust"]) == ("dynamic", "approved", "unverified")
    assert shown["fingerprint"] == row_of(made).fingerprint
    assert shown["registered_at"]
    assert shown["first_consented_at"] is None


@pytest.mark.parametrize(("act", "approval"), [("approve", Approval.APPROVED), ("decline", Approval.DECLINED)])
def test_a_newcomer_is_decided_about_with_a_reason(
    api: Api, newcomers: Newcomers, policy: Policy, act: str, approval: Approval
) -> None:
    policy(mode="approval")
    made = newcomers.register(client_name="Claude")
    address = f"clients/{made['client_id']}/{act}/"
    assert api.post(address, {}).status_code == 400
    answer = api.post(address, {}, **REASON)
    assert (answer.status_code, answer.json()["approval"]) == (200, approval)
    assert last_event(kind=f"admin:client:{approval.value}").note == "We use it"


def test_a_client_of_staff_is_not_decided_about(api: Api) -> None:
    made = api.made("clients/", name="Desk", redirect_uris=["https://desk.example/back"])
    assert api.post(f"clients/{made['client_id']}/decline/", {}, **REASON).status_code == 409


def test_trust_is_reviewed_by_somebody(api: Api, newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="Claude")
    changed = api.patch(f"clients/{made['client_id']}/", {"trust": "verified"}, **REASON).json()
    assert (changed["trust"], changed["trust_reviewed_by"]) == ("verified", str(row_of(made).trust_reviewed_by))
    assert last_event(kind="admin:client:reviewed").note == "We use it"
