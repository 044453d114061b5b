"""Why a sign-in with the company's provider ended without one.

SignInError
├── ProviderFault       the provider could not be asked, or answered nonsense
├── AnswerRefused       what came back does not belong to this browser's sign-in, or is not proven
├── NotConnected        the person is known to the provider and to nobody here: staff must link them
└── SwitchedOff         staff, or the provider, deactivated the account
"""


class SignInError(Exception):
    """Root; `reason` is the event's slug, `status` the page's."""

    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderFault(SignInError):
    """Not the person's fault: she may try again."""

    status = 502


class AnswerRefused(SignInError):
    """Nothing in it is believed."""


class NotConnected(SignInError):
    """`subject` is what staff need to link her account; she proved it a moment ago."""

    status = 403

    def __init__(self, reason: str, *, subject: str) -> None:
        super().__init__(reason)
        self.subject = subject


class SwitchedOff(SignInError):
    """Her account is not active."""

    status = 403
