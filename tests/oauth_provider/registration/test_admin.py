"""Staff decide in the admin: the policy, the queue, the list, invitations, and how far a client is trusted."""

import re

import pytest
from django.test import Client as Browser

from oauth_provider.clients.models import Approval, Client, Trust
from oauth_provider.registration.models import InitialAccessToken, ListedClient, RegistrationPolicy, Verdict
from tests.oauth_provider.registration.newcomers import Newcomers, row_of
from tests.oauth_provider.registration.test_register import Policy
from tests.staff_browser import StaffBrowser, errors_of, last_event, make_staff

CLIENTS = "/admin/oauth_provider/client/"
POLICY = "/admin/oauth_provider/registrationpolicy/1/change/"


def test_the_policy_is_one_page(staff: StaffBrowser) -> None:
    listed = staff.open("/admin/oauth_provider/registrationpolicy/")
    assert listed["Location"] == POLICY
    assert RegistrationPolicy.objects.get().mode == "approval"
    assert "whoever registers itself can do nothing" in staff.text(POLICY)
    assert staff.open("/admin/oauth_provider/registrationpolicy/add/").status_code == 403


def test_opening_the_door_needs_a_reason_and_is_recorded(staff: StaffBrowser, policy: Policy) -> None:
    policy(mode="off")
    assert "reason" in errors_of(staff.fill(POLICY, mode="open"))
    assert staff.fill(POLICY, mode="open", reason="The launch").status_code == 302
    assert RegistrationPolicy.objects.get().mode == "open"
    event = last_event(target="policy:registration")
    assert (event.kind, event.note) == ("admin:object:changed", "The launch")
    assert staff.fill(POLICY, unused_hours="0").status_code == 200
    assert staff.fill(POLICY, unused_hours="48").status_code == 302


def test_a_client_in_the_queue_is_approved(staff: StaffBrowser, newcomers: Newcomers, policy: Policy) -> None:
    policy(mode="approval")
    made = newcomers.register(client_name="Claude")
    page = f"{CLIENTS}{row_of(made).pk}"
    assert "Claude" in staff.text(CLIENTS, approval__exact="pending")
    assert "Waits for approval" in staff.text(f"{page}/change/")
    assert "reason" in errors_of(staff.http.post(f"{page}/approve/"))
    assert staff.fill(f"{page}/approve/", reason="We use it").status_code == 302
    assert row_of(made).approval == Approval.APPROVED
    assert last_event(kind="admin:client:approved").actor
    assert "/approve/" not in staff.text(f"{page}/change/")


def test_a_client_in_the_queue_is_declined(staff: StaffBrowser, newcomers: Newcomers, policy: Policy) -> None:
    policy(mode="approval")
    made = newcomers.register(client_name="Claude")
    assert staff.fill(f"{CLIENTS}{row_of(made).pk}/decline/", reason="Unknown").status_code == 302
    assert row_of(made).approval == Approval.DECLINED
    assert ListedClient.objects.get().verdict == Verdict.BLOCKED


def test_registrations_of_one_program_are_found_together(staff: StaffBrowser, newcomers: Newcomers) -> None:
    twins = [newcomers.register(client_name="Claude") for _ in range(3)]
    other = newcomers.register(client_name="Cursor")
    shown = staff.text(CLIENTS, program=row_of(twins[0]).fingerprint)
    assert "Claude (3)" in shown
    assert all(made["client_id"] in shown for made in twins)
    assert other["client_id"] not in shown
    page = staff.text(f"{CLIENTS}{row_of(twins[0]).pk}/change/")
    assert "3 with this fingerprint" in page
    assert f"?program={row_of(twins[0]).fingerprint}" in page


def test_the_buttons_of_the_queue_are_for_newcomers_only(staff: StaffBrowser, newcomers: Newcomers) -> None:
    own = Client.objects.create(name="Own", authorization_grant_type="authorization-code", client_type="public")
    page = staff.text(f"{CLIENTS}{own.pk}/change/")
    assert "/approve/" not in page
    assert "/decline/" not in page
    assert "/trust/" in page
    approved = staff.text(f"{CLIENTS}{row_of(newcomers.register()).pk}/change/")
    assert "/approve/" not in approved
    assert "/decline/" in approved


def test_trust_is_reviewed_with_a_reason_by_name_and_date(staff: StaffBrowser, newcomers: Newcomers) -> None:
    made = newcomers.register(client_name="Claude")
    page = f"{CLIENTS}{row_of(made).pk}"
    assert "reason" in errors_of(staff.fill(f"{page}/trust/", trust="verified"))
    assert "trust" in errors_of(staff.fill(f"{page}/trust/", trust="absolute", reason="x"))
    assert staff.fill(f"{page}/trust/", trust="verified", reason="Contract signed").status_code == 302
    client = row_of(made)
    assert (client.trust, client.trust_reviewed_by) == (Trust.VERIFIED, staff.user)
    event = last_event(kind="admin:client:reviewed")
    assert (event.client_id, event.note) == (made["client_id"], "Contract signed")
    assert f"{staff.user} ·" in staff.text(f"{page}/change/")


@pytest.mark.parametrize("act", ["approve", "decline", "trust"])
def test_who_may_only_look_decides_nothing(newcomers: Newcomers, act: str) -> None:
    viewer = StaffBrowser(make_staff("victor", "oauth_provider.view_client"))
    made = newcomers.register()
    assert viewer.open(f"{CLIENTS}{row_of(made).pk}/{act}/").status_code == 403
    assert viewer.http.post(f"{CLIENTS}{row_of(made).pk}/{act}/", {"reason": "x"}).status_code == 403
    assert viewer.open("/admin/oauth_provider/registrationpolicy/").status_code == 403


def test_a_block_stops_whoever_is_here(staff: StaffBrowser, newcomers: Newcomers) -> None:
    made = newcomers.register()
    entry = {"verdict": "blocked", "named_by": "client_id", "value": f" {made['client_id']} "}
    assert staff.fill("/admin/oauth_provider/listedclient/add/", **entry, reason="Abuse").status_code == 302
    assert row_of(made).is_suspended
    assert last_event(kind="admin:object:added", target=f"listed:client_id:{made['client_id']}").note == "Abuse"
    assert last_event(kind="admin:client:suspended").client_id == made["client_id"]
    again = staff.fill("/admin/oauth_provider/listedclient/add/", **entry)
    assert again.status_code == 200
    row = ListedClient.objects.get()
    change = f"/admin/oauth_provider/listedclient/{row.pk}/change/"
    assert "reason" in errors_of(staff.fill(change, verdict="allowed"))
    assert staff.http.post(change.replace("change", "delete"), {"post": "yes", "reason": "Over"}).status_code == 302
    assert not ListedClient.objects.exists()


def test_an_invitation_is_shown_once(staff: StaffBrowser, newcomers: Newcomers, policy: Policy) -> None:
    policy(mode="off")
    add = "/admin/oauth_provider/initialaccesstoken/add/"
    answer = staff.fill(add, name="Partner", max_uses="1", days="7")
    shown = staff.http.get(answer["Location"])
    assert "no-store" in shown["Cache-Control"]
    token = re.findall(r"gh_iat_[A-Za-z0-9]{43}", shown.content.decode())[0]
    assert token not in staff.text(answer["Location"])
    newcomers.register(token=token)
    made = InitialAccessToken.objects.get()
    page = f"/admin/oauth_provider/initialaccesstoken/{made.pk}"
    assert "1 / 1" in staff.text(f"{page}/change/")
    assert staff.fill(f"{page}/revoke/", reason="Over").status_code == 302
    assert "Revoked" in staff.text(f"{page}/change/")


def test_nobody_else_reaches_the_pages(db: None) -> None:
    for model in ("registrationpolicy", "listedclient", "initialaccesstoken"):
        answer = Browser().get(f"/admin/oauth_provider/{model}/")
        assert "login/?next=" in answer["Location"]
