"""Staff see which document is in force, what it ever said, and ask for it again."""

import json

import pytest

from audit.ledger.kinds import Kind
from oauth_provider.clients.models import Client
from oauth_provider.registration.documents.models import MetadataDocument
from tests.oauth_provider.registration.documents.world import (
    URL,
    DocumentWorld,
    client_of,
    document,
    pass_time,
    stored,
)
from tests.staff_browser import StaffBrowser, last_event

LIST = "/admin/oauth_provider/metadatadocument/"
CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata"


def page() -> str:
    return f"{LIST}{stored().pk}/change/"


def test_every_version_is_shown_with_what_it_changed(world: DocumentWorld, staff: StaffBrowser) -> None:
    served = world.serve(document(x="<script>alert(1)</script>"))
    world.ask()
    served.body = json.dumps(document(client_name="Renamed \u202e App", x="<script>alert(1)</script>")).encode()
    pass_time(hours=2)
    world.ask()
    text = staff.text(page())
    assert text.count("gh-card") == 2
    added = [line for line in text.split("gh-diff__line--added")[1:] if "client_name" in line.partition("\n")[0]]
    removed = [line for line in text.split("gh-diff__line--removed")[1:] if "Example App" in line.partition("\n")[0]]
    assert (len(added), len(removed)) == (2, 1)
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert URL in text


def test_a_difference_from_our_copy_is_a_warning_and_can_be_read(world: DocumentWorld, staff: StaffBrowser) -> None:
    callback = "https://claude.ai/api/mcp/auth_callback"
    world.serve(document(client_id=CLAUDE, client_name="Claude", redirect_uris=[callback]), host="claude.ai")
    world.ask(CLAUDE, redirect_uri=callback)
    found = stored(CLAUDE)
    text = staff.text(f"{LIST}{found.pk}/change/")
    assert "Differs from our copy" in text
    assert "against what is in force" in text
    assert "jwt-bearer" in text
    listed = staff.text(f"{LIST}?state=differs")
    assert CLAUDE in listed
    assert CLAUDE not in staff.text(f"{LIST}?state=failing")


def test_staff_ask_again_before_it_is_due(world: DocumentWorld, staff: StaffBrowser) -> None:
    served = world.serve()
    world.ask()
    served.body = json.dumps(document(client_name="Renamed")).encode()
    answer = staff.fill(page().replace("change", "ask"), reason="They moved")
    assert answer.status_code == 302
    assert client_of().name == "Renamed"
    event = last_event(kind=Kind.ADMIN_OBJECT_CHANGED)
    assert (event.note, event.client_id, event.target) == ("They moved", URL, f"document:{URL}")
    served.status = 500
    staff.fill(page().replace("change", "ask"), reason="Once more")
    assert "document_not_served" in staff.text(page())
    assert stored().is_usable(stored().tried_at)


def test_who_may_only_look_asks_nobody(world: DocumentWorld, viewer: StaffBrowser) -> None:
    world.serve()
    world.ask()
    assert "Ask its host now" not in viewer.text(page())
    assert viewer.open(page().replace("change", "ask")).status_code == 403
    assert len(world.internet.visits) == 1


@pytest.mark.parametrize("path", ["add/", "1/delete/"])
def test_nobody_writes_one_by_hand(world: DocumentWorld, staff: StaffBrowser, path: str) -> None:
    assert staff.open(f"{LIST}{path}").status_code in (302, 403, 404)
    assert (MetadataDocument.objects.count(), Client.objects.filter(client_id=URL).count()) == (0, 0)
