"""Take an MCP server away; its operations stay."""

from django.db import transaction

from audit.ledger.events import UserRef
from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.resources.models import Resource
from oauth_provider.revisions.bump import bump
from proxy.catalogue.servers.models import McpServer


@transaction.atomic
def remove_server(*, server: McpServer, actor: UserRef | None, note: str) -> None:
    """Delete `server`; its address answers as one that never was. `note` is the reason given.

    Its resource goes too, unless somebody ever connected to it: what people gave stays readable.
    """
    record(kind=Kind.ADMIN_OBJECT_DELETED, actor=actor, target=f"server:{server.name}", note=note)
    path = server.path
    server.delete()
    Resource.objects.filter(path=path, connections=None).delete()
    bump("catalogue")
