"""Find whom the provider speaks of, or make her account at first: by issuer and subject, never by e-mail."""

import re
import secrets

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.identities.external_id import user_ref
from oauth_provider.identities.models import Identity
from oauth_provider.identities.provider.errors import NotConnected, SwitchedOff
from oauth_provider.identities.provider.facts import Facts

USERNAME_MAX = 150
# What Django lets a user name be made of
_NOT_IN_A_NAME = re.compile(r"[^\w.@+-]")


def find_or_create(facts: Facts) -> User:
    """The person, with what the provider says of her today.

    Raises:
        NotConnected: nobody is linked to the subject, and her e-mail or external id is somebody else's here.
        SwitchedOff: her account is deactivated.
    """
    try:
        user = _known(facts) or _create(facts)
    except (IntegrityError, NotConnected) as fault:
        # Of two first sign-ins at once, the other one may have made the account in between
        found = _known(facts)
        if found is None:
            raise NotConnected(getattr(fault, "reason", "external_id_taken"), subject=facts.subject) from fault
        user = found
    if not user.is_active:
        raise SwitchedOff("deactivated")
    return user


@transaction.atomic
def _known(facts: Facts) -> User | None:
    link = SocialAccount.objects.filter(provider=facts.issuer, uid=facts.subject).select_related("user").first()
    if link is None:
        return None
    user: User = User.objects.select_for_update().get(pk=link.user_id)
    # Whoever staff linked before anything was done for them has no identity yet
    user_ref(user)
    follow_email(user, email=facts.email, is_verified=facts.is_email_verified)
    return user


@transaction.atomic
def _create(facts: Facts) -> User:
    if facts.email and User.objects.filter(email__iexact=facts.email).exists():
        raise NotConnected("email_taken", subject=facts.subject)
    if Identity.objects.filter(external_id=facts.external_id).exists():
        raise NotConnected("external_id_taken", subject=facts.subject)
    user = User(username=_free_name(facts), email=facts.email, first_name=facts.given_name, last_name=facts.family_name)
    user.set_unusable_password()
    user.save()
    Identity.objects.create(user=user, external_id=facts.external_id, email_verified=facts.is_email_verified)
    SocialAccount.objects.create(user=user, provider=facts.issuer, uid=facts.subject)
    record(
        kind=Kind.ACCOUNT_IDENTITY_LINKED, user=user_ref(user), target=f"issuer:{facts.issuer}", reason="first_sign_in"
    )
    return user


def follow_email(user: User, *, email: str, is_verified: bool) -> None:
    """Keep what the provider says of the e-mail of `user`, whose row the caller holds; "" leaves what is there."""
    identity = Identity.objects.get(user=user)
    changed = []
    if email and user.email != email:
        user.email = email
        user.save(update_fields=["email"])
        changed.append("email")
    if email and identity.email_verified != is_verified:
        identity.email_verified = is_verified
        identity.save(update_fields=["email_verified"])
        changed.append("email_verified")
    if changed:
        record(kind=Kind.ACCOUNT_IDENTITY_CHANGED, user=user_ref(user), fields=tuple(changed))


def _free_name(facts: Facts) -> str:
    # Read by people on every page; staff may change it
    wanted = _NOT_IN_A_NAME.sub("", facts.preferred_name or facts.email or facts.external_id)[:USERNAME_MAX]
    if wanted and not User.objects.filter(username__iexact=wanted).exists():
        return wanted
    return f"{wanted[: USERNAME_MAX - 9] or 'person'}-{secrets.token_hex(4)}"
