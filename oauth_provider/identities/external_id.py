"""From a Django user to the reference that events and backends use."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy

from audit.ledger.events import UserRef
from oauth_provider.identities.models import Identity

# It travels as a header's value (RFC 9110 section 5.5)
EXTERNAL_ID = RegexValidator(
    r"\A[\x21-\x7e]{1,200}\Z", gettext_lazy("Use letters, digits and punctuation only, without spaces.")
)

# Begins the ids of those who have no other; nobody but this server gives them out
LOCAL_PREFIX = "local:"


def user_ref(user: AbstractBaseUser | AnonymousUser) -> UserRef:
    """The id and external id of somebody signed in; a user without one gets `local:<id>`, kept from then on."""
    # Without a query where it was loaded with the user
    identity: Identity | None = getattr(user, "identity", None)
    if identity is None:
        identity, _created = Identity.objects.get_or_create(
            user=user, defaults={"external_id": f"{LOCAL_PREFIX}{user.pk}"}
        )
    return UserRef(user_id=identity.user_id, external_id=identity.external_id)
