"""`prompt=none` for somebody signed in: answered without a page only where that is safe.

Any program can pretend to be a public client, so what a person allowed one is never taken as allowed again without her
(RFC 9700 section 2.1, RFC 8252 section 8.6). A request that does not say `prompt=none` always gets a page.
"""

from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone, translation

from oauth_provider.authorize.allow import Outcome, allow
from oauth_provider.authorize.errors import RedirectError
from oauth_provider.authorize.held import held_connection
from oauth_provider.authorize.interactions import open_interaction
from oauth_provider.authorize.presentation import present
from oauth_provider.authorize.redirects import describe
from oauth_provider.authorize.run import Acceptable
from oauth_provider.clients.models import Trust
from oauth_provider.connections.lock import lock_connection
from oauth_provider.connections.models import Connection

LONGEST = timedelta(days=30)


@transaction.atomic
def answer_remembered(*, acceptable: Acceptable, user: User, session: SessionBase) -> Outcome:
    """Allow once more what this person allowed before, to the letter.

    Raises:
        RedirectError: ``consent_required``; somebody must look at the page.
    """
    asked = acceptable.answerable
    found = held_connection(
        user=user, client=asked.client, resource=acceptable.resource, redirect_uri=asked.redirect_uri
    )
    held = lock_connection(found.pk) if found else None
    if held is None or not _is_remembered(acceptable, held):
        raise RedirectError("consent_required", "the user must approve on the consent page")
    interaction = open_interaction(
        acceptable=acceptable,
        user=user,
        session=session,
        shown_digest=held.shown_digest,
        shown_locale=held.shown_locale,
    )
    interaction.decided_at = timezone.now()
    interaction.save(update_fields=["decided_at"])
    scopes = tuple(scope.name for scope in acceptable.scopes)
    return allow(interaction, held, scopes=scopes, reason="remembered")


def _is_remembered(acceptable: Acceptable, held: Connection) -> bool:
    asked = acceptable.answerable
    return (
        asked.client.is_confidential
        and asked.client.trust in (Trust.VERIFIED, Trust.PROVEN)
        and describe(asked.redirect_uri).kind == "web"
        and held.is_live
        and held.created_at > timezone.now() - LONGEST
        and {scope.name for scope in acceptable.scopes} <= held.scope_set
        and _reads_the_same(acceptable, held)
    )


def _reads_the_same(acceptable: Acceptable, held: Connection) -> bool:
    # The client's name, its trust, the address and every permission read now as they did when she allowed them
    with translation.override(held.shown_locale):
        return held.shown_digest in (present(acceptable).digest, present(acceptable, held).digest)
