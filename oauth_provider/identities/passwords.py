"""Whether passwords kept here open anything: SIGN_IN_PASSWORDS, for the sign-in page and every other door."""

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


class PasswordGate(BaseBackend):
    """Stands before the backend that compares passwords, and closes it."""

    def authenticate(self, request: HttpRequest | None, **credentials: object) -> None:
        """Nobody is recognised here.

        Raises:
            PermissionDenied: passwords are switched off; Django asks no further backend.
        """
        del request, credentials
        if not settings.SIGN_IN_PASSWORDS:
            raise PermissionDenied
