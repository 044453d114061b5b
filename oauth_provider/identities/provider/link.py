"""Which subject of the company's provider an account here belongs to, as staff want it."""

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from oauth_provider.identities.provider.company import Company
from oauth_provider.identities.provider.facts import SUBJECT_MAX, is_plain


def subject_of(user: User) -> str:
    """The subject linked to `user` at the configured provider; "" when there is none, or no provider."""
    links = SocialAccount.objects.filter(user_id=user.pk, provider=_issuer())
    return str(links.values_list("uid", flat=True).first() or "")


def check_subject(subject: str, *, user: User) -> str:
    """`subject`, if it can be linked to `user`.

    Raises:
        ValidationError: it is none, or another account's.
    """
    if subject and not _issuer():
        raise ValidationError(_("No sign-in provider is configured: set SIGN_IN_ISSUER first."))
    if len(subject) > SUBJECT_MAX or not is_plain(subject):
        raise ValidationError(_("Use the subject exactly as the provider says it: letters, digits and punctuation."))
    if subject and SocialAccount.objects.filter(provider=_issuer(), uid=subject).exclude(user_id=user.pk).exists():
        raise ValidationError(_("Another user is linked to this subject."))
    return subject


@transaction.atomic
def link_subject(*, user: User, subject: str) -> None:
    """From now on whoever the configured provider calls `subject` is `user`; "" takes the link away.

    The caller records it. Raises IntegrityError when another account has the subject.
    """
    SocialAccount.objects.filter(user=user, provider=_issuer()).exclude(uid=subject).delete()
    if subject:
        SocialAccount.objects.get_or_create(user=user, provider=_issuer(), uid=subject)


def _issuer() -> str:
    company = Company.configured()
    return company.issuer if company else ""
